<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
<context>
    <name>AboutDialog</name>
    <message>
        <source>About Steadymark</source>
        <translation>关于 Steadymark</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>打开所在文件夹</translation>
    </message>
    <message>
        <source>Delete the kept results</source>
        <translation>删除保留的结果</translation>
    </message>
    <message>
        <source>Finished tracking is kept in {folder} and shown again when the same recording is opened with the same settings: {used} of at most {most}. The oldest results are removed first.</source>
        <translation>已完成的跟踪保留在 {folder} 中，用相同设置打开同一录像时会再次显示：已用 {used}，最多 {most}。最早的结果会先被删除。</translation>
    </message>
</context>
<context>
    <name>AddModelDialog</name>
    <message>
        <source>Add a model</source>
        <translation>添加模型</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Running the network on the face of the demo clip…</source>
        <translation>正在用演示视频中的人脸试用该网络…</translation>
    </message>
    <message>
        <source>{name} has no model card. What you leave open here is read from the file, or found by trying.</source>
        <translation>{name} 没有模型卡。此处留空的内容会从文件中读取，或通过试验得出。</translation>
    </message>
    <message>
        <source>The program cannot find this out by itself:</source>
        <translation>以下内容只有您知道，程序不作任何假定：</translation>
    </message>
    <message>
        <source>pixels</source>
        <translation>像素</translation>
    </message>
    <message>
        <source>0 … 1</source>
        <translation>0 … 1</translation>
    </message>
    <message>
        <source>−1 … 1</source>
        <translation>−1 … 1</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>输出</translation>
    </message>
    <message>
        <source>Names of outputs</source>
        <translation>输出名称</translation>
    </message>
    <message>
        <source>Units</source>
        <translation>单位</translation>
    </message>
    <message>
        <source>Margin</source>
        <translation>边距</translation>
    </message>
    <message>
        <source>Input size (pixels)</source>
        <translation>输入尺寸（像素）</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>颜色顺序</translation>
    </message>
    <message>
        <source>Value of white</source>
        <translation>白色的值</translation>
    </message>
    <message>
        <source>Mean</source>
        <translation>均值</translation>
    </message>
    <message>
        <source>Standard deviation</source>
        <translation>标准差</translation>
    </message>
    <message>
        <source>&apos;unknown&apos; if you do not know</source>
        <translation>如果不知道，请填 unknown</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Licence of its weights</source>
        <translation>权重的许可</translation>
    </message>
    <message>
        <source>Trained on</source>
        <translation>训练数据</translation>
    </message>
    <message>
        <source>find out automatically</source>
        <translation>自动判断</translation>
    </message>
    <message>
        <source>found: {value}</source>
        <translation>得出：{value}</translation>
    </message>
    <message>
        <source>{count} landmarks; the error on the demo clip is {percent:.1f} % of the inter-ocular distance.</source>
        <translation>{count} 个特征点，在演示视频上与真值相差眼距的 {percent:.1f} %。</translation>
    </message>
    <message>
        <source>The face score is computed from its heatmaps.</source>
        <translation>是否有人脸由其热图判断。</translation>
    </message>
    <message>
        <source>The network gives no face score. The score is computed by running it twice, which takes twice the time.</source>
        <translation>该网络不判断是否有人脸：程序通过看两次来判断，因此耗时加倍。</translation>
    </message>
</context>
<context>
    <name>AnnotationController</name>
    <message>
        <source>Select an annotation first: click it in the timeline.</source>
        <translation>请先选择一个标注：在时间线中点击它。</translation>
    </message>
    <message>
        <source>There are no annotations yet.</source>
        <translation>还没有标注。</translation>
    </message>
    <message>
        <source>Open a recording first: annotations belong to a recording.</source>
        <translation>请先打开录像：标注属于录像。</translation>
    </message>
    <message>
        <source>&amp;Undo: {action}</source>
        <translation>撤销(&amp;U)：{action}</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>撤销(&amp;U)</translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation>没有可撤销的操作。</translation>
    </message>
    <message>
        <source>&amp;Redo: {action}</source>
        <translation>重做(&amp;R)：{action}</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>重做(&amp;R)</translation>
    </message>
    <message>
        <source>There is nothing to redo.</source>
        <translation>没有可重做的操作。</translation>
    </message>
    <message>
        <source>Import annotations</source>
        <translation>导入标注</translation>
    </message>
    <message>
        <source>Annotations ({kinds});;All files (*)</source>
        <translation>标注 ({kinds});;所有文件 (*)</translation>
    </message>
    <message numerus="yes">
        <source>%n annotation(s) were added from {name}.</source>
        <translation>
            <numerusform>已从 {name} 添加 %n 个标注。</numerusform>
        </translation>
    </message>
    <message>
        <source>No person is called {names}, so these annotations have lanes of their own. Name the persons and import the file again to assign them.</source>
        <translation>没有人叫 {names}，因此这些标注有各自的轨道。请为人物命名后再次导入文件，以便对应。</translation>
    </message>
    <message>
        <source>Export annotations</source>
        <translation>导出标注</translation>
    </message>
    <message>
        <source>ELAN ({elan});;Table with tabs ({table})</source>
        <translation>ELAN ({elan});;制表符分隔的表格 ({table})</translation>
    </message>
    <message>
        <source>{name} was written.</source>
        <translation>已写入 {name}。</translation>
    </message>
</context>
<context>
    <name>AnnotationDialog</name>
    <message>
        <source>Edit annotation</source>
        <translation>编辑标注</translation>
    </message>
    <message>
        <source>A time such as 1:23.4 or 83s, or a frame such as f120</source>
        <translation>时间（如 1:23.4 或 83s）或帧（如 f120）</translation>
    </message>
    <message>
        <source>&amp;Label</source>
        <translation>标签(&amp;L)</translation>
    </message>
    <message>
        <source>A short name, such as a category</source>
        <translation>简短的名称，例如类别</translation>
    </message>
    <message>
        <source>&amp;Note</source>
        <translation>备注(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Starts at</source>
        <translation>开始于(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Ends at</source>
        <translation>结束于(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Person</source>
        <translation>人物(&amp;P)</translation>
    </message>
    <message>
        <source>L&amp;ane</source>
        <translation>轨道(&amp;A)</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is not a position: enter a time such as 1:23.4 or 83s, or a frame such as f120</source>
        <translation>“{text}”不是有效位置：请输入时间（如 1:23.4 或 83s）或帧（如 f120）</translation>
    </message>
    <message>
        <source>The end is before the start.</source>
        <translation>结束早于开始。</translation>
    </message>
</context>
<context>
    <name>CameraDialog</name>
    <message>
        <source>Open camera or stream</source>
        <translation>打开摄像头或网络流</translation>
    </message>
    <message>
        <source>Search again</source>
        <translation>重新查找</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>预览</translation>
    </message>
    <message>
        <source>Searching for cameras…</source>
        <translation>正在查找摄像头…</translation>
    </message>
    <message>
        <source>Cameras</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>Mode</source>
        <translation>模式</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>地址</translation>
    </message>
    <message>
        <source>&amp;Cameras</source>
        <translation>摄像头(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Network</source>
        <translation>网络(&amp;N)</translation>
    </message>
    <message>
        <source>The address of a network camera: RTSP, RTMP, or MJPEG over HTTP, for example rtsp://user:password@192.168.0.10/stream. Passwords are not saved.</source>
        <translation>网络摄像头的地址：RTSP、RTMP 或 HTTP 上的 MJPEG，例如 rtsp://user:password@192.168.0.10/stream。密码不会被保存。</translation>
    </message>
    <message>
        <source>default of the camera</source>
        <translation>由摄像头决定</translation>
    </message>
    <message>
        <source>The address must begin with rtsp://, rtmp:// or http://</source>
        <translation>地址以 rtsp://、rtmp:// 或 http:// 开头</translation>
    </message>
    <message>
        <source>This camera is open already.</source>
        <translation>正在观看此摄像头。</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>正在打开…</translation>
    </message>
    <message>
        <source>No camera was found. Connect one and search again, or enter the address of a network camera.</source>
        <translation>未找到摄像头。请连接摄像头后重新查找，或输入网络摄像头的地址。</translation>
    </message>
    <message>
        <source>If a camera is connected, your user account may not have access to it: check that /dev/video0 exists, and join the group &apos;video&apos;.</source>
        <translation>如果已连接摄像头，您的用户可能没有访问权限：请检查 /dev/video0 是否存在，并加入“video”用户组。</translation>
    </message>
    <message>
        <source>If a camera is connected, allow access to it in System Settings, Privacy &amp; Security.</source>
        <translation>如果已有摄像头，请在“系统设置 &gt; 隐私与安全性”中允许使用摄像头。</translation>
    </message>
    <message>
        <source>If a camera is connected, allow access to it in Settings, Privacy.</source>
        <translation>如果已有摄像头，请在“设置 &gt; 隐私”中允许使用摄像头。</translation>
    </message>
</context>
<context>
    <name>CitationDialog</name>
    <message>
        <source>How to cite</source>
        <translation>如何引用</translation>
    </message>
    <message>
        <source>Reference</source>
        <translation>参考文献</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
</context>
<context>
    <name>CloseQuestions</name>
    <message>
        <source>Recording in progress</source>
        <translation>正在录制</translation>
    </message>
    <message>
        <source>The live view is being recorded. Save the recording and quit?</source>
        <translation>正在录制实时画面。要保存录制内容并退出吗？</translation>
    </message>
    <message>
        <source>Save and quit</source>
        <translation>保存并退出</translation>
    </message>
    <message>
        <source>Continue recording</source>
        <translation>继续录制</translation>
    </message>
    <message>
        <source>Export in progress</source>
        <translation>正在导出</translation>
    </message>
    <message>
        <source>An export is not finished. If it is cancelled, what was written is kept.</source>
        <translation>导出尚未完成。如果取消，已写入的内容会保留。</translation>
    </message>
    <message>
        <source>Wait, then quit</source>
        <translation>等待完成后退出</translation>
    </message>
    <message>
        <source>Cancel the export and quit</source>
        <translation>取消导出并退出</translation>
    </message>
    <message>
        <source>Do not quit</source>
        <translation>不退出</translation>
    </message>
    <message>
        <source>Steadymark quits when the export is finished.</source>
        <translation>导出完成后 Steadymark 将退出。</translation>
    </message>
</context>
<context>
    <name>ComparisonController</name>
    <message>
        <source>Compare with a table of landmarks</source>
        <translation>与关键点表格比较</translation>
    </message>
    <message>
        <source>Tables of landmarks ({kinds});;All files (*)</source>
        <translation>关键点表格 ({kinds});;所有文件 (*)</translation>
    </message>
</context>
<context>
    <name>ComparisonTable</name>
    <message>
        <source>difference</source>
        <translation>变化</translation>
    </message>
    <message>
        <source>raw</source>
        <translation>原始</translation>
    </message>
    <message>
        <source>stabilized</source>
        <translation>稳定后</translation>
    </message>
</context>
<context>
    <name>CorrectionBar</name>
    <message>
        <source>Correct landmarks</source>
        <translation>校正关键点</translation>
    </message>
    <message>
        <source>Move</source>
        <translation>移动</translation>
    </message>
    <message>
        <source>fades out over</source>
        <translation>渐变时长</translation>
    </message>
    <message>
        <source>Previous</source>
        <translation>上一个</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>下一个</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Track from here</source>
        <translation>从此处跟踪</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>the landmark</source>
        <translation>该关键点</translation>
    </message>
    <message>
        <source>its part of the face (Shift)</source>
        <translation>所在的面部区域 (Shift)</translation>
    </message>
    <message>
        <source>the whole face (Ctrl)</source>
        <translation>整张脸 (Ctrl)</translation>
    </message>
    <message>
        <source>What moves</source>
        <translation>移动的内容</translation>
    </message>
    <message>
        <source> s</source>
        <translation> 秒</translation>
    </message>
    <message>
        <source>Span</source>
        <translation>作用时长</translation>
    </message>
    <message>
        <source>For how long before and after its frame a correction fades out</source>
        <translation>校正在其帧前后逐渐减弱的时长</translation>
    </message>
</context>
<context>
    <name>CorrectionController</name>
    <message>
        <source>This frame is not corrected.</source>
        <translation>此帧未经校正。</translation>
    </message>
    <message>
        <source>There is no further corrected frame.</source>
        <translation>没有其他校正过的帧。</translation>
    </message>
    <message>
        <source>There is no tracked face in this frame.</source>
        <translation>此帧中没有被跟踪的人脸。</translation>
    </message>
    <message>
        <source>No frame is corrected yet.</source>
        <translation>还没有校正过的帧。</translation>
    </message>
    <message>
        <source>Tracking again: {share}</source>
        <translation>重新跟踪：{share}</translation>
    </message>
    <message>
        <source>Pause to move landmarks.</source>
        <translation>请先暂停，再移动关键点。</translation>
    </message>
    <message>
        <source>Drag a landmark. Shift drags its part of the face, Ctrl the whole face.</source>
        <translation>拖动关键点。按住 Shift 拖动所在的面部区域，按住 Ctrl 拖动整张脸。</translation>
    </message>
    <message>
        <source>{number} {name} of face {face}: arrow keys move it by 1 pixel, with Shift by 10, with Ctrl by 0.1. Esc lets it go.</source>
        <translation>人脸 {face} 的 {number} {name}：方向键移动 1 像素，加 Shift 移动 10 像素，加 Ctrl 移动 0.1 像素。Esc 取消选择。</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
</context>
<context>
    <name>DetectorChoice</name>
    <message>
        <source>built-in</source>
        <translation>内置</translation>
    </message>
    <message>
        <source>YuNet from a file…</source>
        <translation>来自文件的 YuNet…</translation>
    </message>
    <message>
        <source>OpenCV&apos;s face detector, with a model file that you choose</source>
        <translation>OpenCV 的人脸检测器，使用您自己的模型文件</translation>
    </message>
    <message>
        <source>Choose a YuNet model file</source>
        <translation>选择 YuNet 模型文件</translation>
    </message>
    <message>
        <source>ONNX models ({kinds})</source>
        <translation>ONNX 模型 ({kinds})</translation>
    </message>
</context>
<context>
    <name>Docks</name>
    <message>
        <source>Plots</source>
        <translation>曲线图</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>数值</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Review</source>
        <translation>审阅</translation>
    </message>
    <message>
        <source>People</source>
        <translation>人物</translation>
    </message>
    <message>
        <source>Errors</source>
        <translation>误差</translation>
    </message>
    <message>
        <source>3D face</source>
        <translation>3D 人脸</translation>
    </message>
</context>
<context>
    <name>ErrorCurves</name>
    <message>
        <source>Cumulative error curve</source>
        <translation>累积误差曲线</translation>
    </message>
    <message>
        <source>NRMSE, %</source>
        <translation>NRMSE，%</translation>
    </message>
    <message>
        <source>frames, %</source>
        <translation>帧，%</translation>
    </message>
    <message>
        <source>Share of the frames whose error is at most as large</source>
        <translation>误差不超过该值的帧所占比例</translation>
    </message>
    <message>
        <source>From here on, a frame counts as failed</source>
        <translation>从此处起，该帧计为失败</translation>
    </message>
</context>
<context>
    <name>ErrorsController</name>
    <message>
        <source>&amp;This recording</source>
        <translation>此录像(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Folder of videos with ground truth…</source>
        <translation>带真值的视频文件夹(&amp;F)…</translation>
    </message>
    <message>
        <source>Finished videos of the &amp;queue</source>
        <translation>队列中已完成的视频(&amp;Q)</translation>
    </message>
    <message>
        <source>A live view has no ground truth: record it and open the recording.</source>
        <translation>实时画面没有真值：请先录制，再打开录像。</translation>
    </message>
    <message>
        <source>No frame with ground truth was compared yet.</source>
        <translation>尚未比较任何带真值的帧。</translation>
    </message>
    <message>
        <source>Load ground truth (menu File) to see in which frames and at which landmarks the errors are large.</source>
        <translation>请载入真值（“文件”菜单），以查看哪些帧和哪些关键点的误差较大。</translation>
    </message>
    <message>
        <source>Measuring {name} ({number} of {total}), {share}</source>
        <translation>正在测量 {name}（{number}/{total}），{share}</translation>
    </message>
    <message>
        <source>Folder of videos with ground truth</source>
        <translation>带真值的视频文件夹</translation>
    </message>
    <message>
        <source>queue</source>
        <translation>队列</translation>
    </message>
    <message numerus="yes">
        <source>{name}, %n video(s)</source>
        <translation>
            <numerusform>{name}，%n 个视频</numerusform>
        </translation>
    </message>
    <message>
        <source>The errors are on the clipboard.</source>
        <translation>误差已复制到剪贴板。</translation>
    </message>
    <message>
        <source>Save the errors</source>
        <translation>保存误差</translation>
    </message>
</context>
<context>
    <name>ErrorsPanel</name>
    <message>
        <source>Errors</source>
        <translation>误差</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy all errors as a table with tabs, for a spreadsheet</source>
        <translation>将所有误差复制为制表符分隔的表格，可粘贴到电子表格</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>保存…</translation>
    </message>
    <message>
        <source>Save all errors as CSV, or the views as a picture</source>
        <translation>将所有误差保存为 CSV，或将视图保存为图片</translation>
    </message>
    <message>
        <source>Videos</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Whose errors are shown</source>
        <translation>显示哪些视频的误差</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>{name}: {count} frames compared, {missed} without a face</source>
        <translation>{name}：已比较 {count} 帧，其中 {missed} 帧没有人脸</translation>
    </message>
</context>
<context>
    <name>ExportMessages</name>
    <message>
        <source>Cancelled. What was written so far is in {name}.</source>
        <translation>已取消：已写入的内容在 {name} 中。</translation>
    </message>
    <message>
        <source>Cancelled: {name} was not written.</source>
        <translation>已取消：未写入 {name}。</translation>
    </message>
    <message>
        <source>{name} holds what has been tracked so far. Export again when tracking is finished.</source>
        <translation>{name} 包含目前已跟踪的内容。全部跟踪完成后请再次导出。</translation>
    </message>
    <message>
        <source>{name} was written.</source>
        <translation>已写入 {name}。</translation>
    </message>
    <message>
        <source>It was tracked in {count} parts because of seeking; the tracker started anew at the beginning of each part. &apos;Track again from the beginning&apos; gives one uninterrupted run.</source>
        <translation>由于跳转，跟踪分 {count} 段进行：每段开始时没有历史记忆。“从头重新跟踪”可得到不间断的结果。</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
</context>
<context>
    <name>ExportOptionsDialog</name>
    <message>
        <source>What is drawn into the video</source>
        <translation>视频中绘制的内容</translation>
    </message>
    <message>
        <source>Raw landmarks</source>
        <translation>原始关键点</translation>
    </message>
    <message>
        <source>Stabilized landmarks</source>
        <translation>稳定后的关键点</translation>
    </message>
    <message>
        <source>Apply the review: corrections, persons, exclusions</source>
        <translation>应用审阅：修正、人物、排除</translation>
    </message>
    <message>
        <source>Only the looped region</source>
        <translation>仅循环区间</translation>
    </message>
    <message>
        <source>As in the window</source>
        <translation>与窗口相同</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>点</translation>
    </message>
    <message>
        <source>Contours</source>
        <translation>轮廓</translation>
    </message>
    <message>
        <source>Face boxes</source>
        <translation>人脸框</translation>
    </message>
    <message>
        <source>Ids of the faces</source>
        <translation>人脸编号</translation>
    </message>
    <message>
        <source>Time, frame number and number of faces</source>
        <translation>时间、帧号和人脸数</translation>
    </message>
</context>
<context>
    <name>ExportsList</name>
    <message>
        <source>cannot write {path}: choose another folder or name</source>
        <translation>无法写入 {path}：请选择其他文件夹或名称</translation>
    </message>
</context>
<context>
    <name>ExpressionPresetBar</name>
    <message>
        <source>own settings</source>
        <translation>自定义设置</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Save, delete, import and export presets</source>
        <translation>保存、删除、导入和导出预设</translation>
    </message>
    <message>
        <source>&amp;Save as preset…</source>
        <translation>存为预设(&amp;S)…</translation>
    </message>
    <message>
        <source>&amp;Delete this preset</source>
        <translation>删除此预设(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;Import a file…</source>
        <translation>导入文件(&amp;I)…</translation>
    </message>
    <message>
        <source>&amp;Export to a file…</source>
        <translation>导出到文件(&amp;E)…</translation>
    </message>
    <message>
        <source>Show the &amp;folder of presets</source>
        <translation>打开预设文件夹(&amp;F)</translation>
    </message>
    <message>
        <source>As measured</source>
        <translation>按测量值</translation>
    </message>
    <message>
        <source>Save as preset</source>
        <translation>存为预设</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>预设名称</translation>
    </message>
    <message>
        <source>Expression settings ({kind})</source>
        <translation>表情设置 ({kind})</translation>
    </message>
    <message>
        <source>Import expressions</source>
        <translation>导入表情设置</translation>
    </message>
    <message>
        <source>Export expressions</source>
        <translation>导出表情设置</translation>
    </message>
    <message>
        <source>The folder {folder} cannot be created: {why}</source>
        <translation>无法创建文件夹 {folder}：{why}</translation>
    </message>
</context>
<context>
    <name>ExpressionsDialog</name>
    <message>
        <source>Expressions</source>
        <translation>表情</translation>
    </message>
    <message>
        <source>Find a shape</source>
        <translation>查找形状</translation>
    </message>
    <message>
        <source>&amp;Mirrored</source>
        <translation>镜像(&amp;M)</translation>
    </message>
    <message>
        <source>Left and right are exchanged, as if the character were your mirror image.</source>
        <translation>左右互换，就像角色是您的镜像。</translation>
    </message>
    <message>
        <source>&amp;Neutral face now</source>
        <translation>设为中性表情(&amp;N)</translation>
    </message>
    <message>
        <source>Take the face and the place of this moment as neutral: look into the camera with a relaxed face, and press this.</source>
        <translation>将此刻的表情和位置设为中性：请放松面部、看向摄像头，然后按此按钮。</translation>
    </message>
    <message>
        <source>Upper bar: measured. Lower bar: sent, and in animations.</source>
        <translation>上方条：测量值。下方条：发送值，也用于动画。</translation>
    </message>
    <message>
        <source>Reset &amp;all</source>
        <translation>全部重置(&amp;A)</translation>
    </message>
</context>
<context>
    <name>Face3dPanel</name>
    <message>
        <source>3D face</source>
        <translation>3D 人脸</translation>
    </message>
    <message>
        <source>Drag to look from the side; double-click to look from the camera again</source>
        <translation>拖动可从侧面查看；双击恢复摄像头视角</translation>
    </message>
    <message>
        <source>There is no picture yet: open a video or a camera.</source>
        <translation>还没有画面：请打开视频或摄像头。</translation>
    </message>
    <message>
        <source>This frame is not tracked yet.</source>
        <translation>此帧尚未跟踪。</translation>
    </message>
    <message>
        <source>No face in this frame.</source>
        <translation>此帧中没有人脸。</translation>
    </message>
    <message>
        <source>The 3D face needs iBUG&apos;s 68 landmarks, which this model does not find.</source>
        <translation>3D 人脸需要 iBUG 的 68 个关键点，而此模型不检测它们。</translation>
    </message>
    <message>
        <source>The 3D face does not fit these landmarks.</source>
        <translation>3D 人脸与这些关键点不吻合。</translation>
    </message>
</context>
<context>
    <name>FaceDiagram</name>
    <message>
        <source>Mean error of each landmark</source>
        <translation>每个关键点的平均误差</translation>
    </message>
    <message>
        <source>{name}: the largest error is {error}, of {landmark}</source>
        <translation>{name}：最大误差为 {error}，位于 {landmark}</translation>
    </message>
</context>
<context>
    <name>FileController</name>
    <message numerus="yes">
        <source>Steadymark ended unexpectedly. %n tracked frame(s) of {name} were saved.</source>
        <translation>
            <numerusform>Steadymark 意外退出。已保存 {name} 的 %n 帧跟踪结果。</numerusform>
        </translation>
    </message>
    <message>
        <source>Recover</source>
        <translation>恢复</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>丢弃</translation>
    </message>
    <message>
        <source>The comparison is not ready yet: export it when it is.</source>
        <translation>对比尚未就绪：请在就绪后再导出。</translation>
    </message>
    <message>
        <source>Open a video, or a table or project of one</source>
        <translation>打开视频，或其表格或项目</translation>
    </message>
    <message>
        <source>Videos, tables and projects ({kinds});;All files (*)</source>
        <translation>视频、表格和项目 ({kinds});;所有文件 (*)</translation>
    </message>
    <message>
        <source>Open folder of images</source>
        <translation>打开图片文件夹</translation>
    </message>
    <message>
        <source>Load ground truth: a table, or one of the .pts files of a folder</source>
        <translation>载入真值：表格，或文件夹中任意一个 .pts 文件</translation>
    </message>
    <message>
        <source>Ground truth ({kinds});;All files (*)</source>
        <translation>真值 ({kinds});;所有文件 (*)</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Save this frame</source>
        <translation>保存当前帧</translation>
    </message>
    <message>
        <source>The frame is on the clipboard.</source>
        <translation>该帧已复制到剪贴板。</translation>
    </message>
    <message>
        <source>Save the plots</source>
        <translation>保存曲线图</translation>
    </message>
    <message>
        <source>Write a report</source>
        <translation>写报告</translation>
    </message>
    <message>
        <source>Replace the file?</source>
        <translation>替换文件？</translation>
    </message>
    <message>
        <source>{name} exists already. Replace it?</source>
        <translation>{name} 已存在。要替换吗？</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>打开所在文件夹</translation>
    </message>
    <message>
        <source>The diagnostics are on the clipboard: paste them into your report.</source>
        <translation>诊断信息已复制到剪贴板：请粘贴到您的报告中。</translation>
    </message>
    <message>
        <source>The log file is {path}</source>
        <translation>日志文件位于 {path}</translation>
    </message>
</context>
<context>
    <name>FilterParameters</name>
    <message>
        <source>Use the settings</source>
        <translation>与设置相同</translation>
    </message>
    <message>
        <source>Use the parameters of the settings, and follow their changes</source>
        <translation>使用设置中的参数并随之变化</translation>
    </message>
</context>
<context>
    <name>GazeController</name>
    <message>
        <source>Gaze calibrations ({kind})</source>
        <translation>视线校准 ({kind})</translation>
    </message>
    <message>
        <source>Load a gaze calibration</source>
        <translation>载入视线校准</translation>
    </message>
    <message>
        <source>Save the gaze calibration</source>
        <translation>保存视线校准</translation>
    </message>
    <message>
        <source>The size of the screen is unknown: measure and enter it.</source>
        <translation>屏幕尺寸未知：请测量并输入。</translation>
    </message>
    <message>
        <source>The view is recorded: stop the recording first.</source>
        <translation>正在录制：请先停止录制。</translation>
    </message>
</context>
<context>
    <name>GazeDialog</name>
    <message>
        <source>Gaze calibration</source>
        <translation>视线校准</translation>
    </message>
    <message>
        <source>&amp;Use this calibration</source>
        <translation>使用此校准(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Load…</source>
        <translation>载入(&amp;L)…</translation>
    </message>
    <message>
        <source>&amp;Save…</source>
        <translation>保存(&amp;S)…</translation>
    </message>
    <message>
        <source>R&amp;emove</source>
        <translation>移除(&amp;E)</translation>
    </message>
    <message>
        <source>S&amp;tart</source>
        <translation>开始(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Calibrate</source>
        <translation>校准(&amp;C)</translation>
    </message>
    <message>
        <source>Mean error at the points: {before} before, {after} after.</source>
        <translation>各点的平均误差：校准前 {before}，校准后 {after}。</translation>
    </message>
    <message>
        <source>{missed} of {count} points were missed.</source>
        <translation>{count} 个点中有 {missed} 个未测到。</translation>
    </message>
    <message>
        <source>The points do not fit the gaze: repeat the calibration.</source>
        <translation>这些点与视线不符：请重新校准。</translation>
    </message>
    <message>
        <source>the person before the camera</source>
        <translation>摄像头前的人</translation>
    </message>
    <message>
        <source>The gaze of {who} is not calibrated.</source>
        <translation>{who}的视线尚未校准。</translation>
    </message>
    <message>
        <source>The gaze of {who} is corrected with the calibration &apos;{name}&apos;.</source>
        <translation>{who}的视线使用校准“{name}”修正。</translation>
    </message>
    <message>
        <source>The gaze of {who} is corrected with a calibration.</source>
        <translation>{who}的视线使用一个校准修正。</translation>
    </message>
</context>
<context>
    <name>HistoryMenu</name>
    <message>
        <source>Nothing done yet</source>
        <translation>尚无操作</translation>
    </message>
</context>
<context>
    <name>LabelExports</name>
    <message>
        <source>Folder for pictures and .pts files</source>
        <translation>图片和 .pts 文件的文件夹</translation>
    </message>
    <message>
        <source>Some of the pictures exist already, such as {name}. Replace them?</source>
        <translation>部分图片已存在，例如 {name}。要替换吗？</translation>
    </message>
    <message>
        <source>Replace pictures?</source>
        <translation>替换图片？</translation>
    </message>
</context>
<context>
    <name>LaneDialog</name>
    <message>
        <source>Change lane</source>
        <translation>更改轨道</translation>
    </message>
    <message>
        <source>Add lane</source>
        <translation>添加轨道</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>蓝色</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>橙色</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>绿色</translation>
    </message>
    <message>
        <source>Pink</source>
        <translation>粉色</translation>
    </message>
    <message>
        <source>Light blue</source>
        <translation>浅蓝色</translation>
    </message>
    <message>
        <source>Vermilion</source>
        <translation>朱红色</translation>
    </message>
    <message>
        <source>Yellow</source>
        <translation>黄色</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>红色</translation>
    </message>
    <message>
        <source>No key</source>
        <translation>无按键</translation>
    </message>
    <message>
        <source>The key starts and ends an interval; with Shift, it marks an event. Keys of commands are not offered; Keyboard shortcuts in the menu Help changes those.</source>
        <translation>按键开始并结束一个区间；与 Shift 一起按则标记事件。命令已占用的按键不可选；可在“帮助”菜单的“键盘快捷键”中更改。</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>名称(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Colour</source>
        <translation>颜色(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Key</source>
        <translation>按键(&amp;K)</translation>
    </message>
    <message>
        <source>There is a lane called &apos;{name}&apos; already.</source>
        <translation>已有名为“{name}”的轨道。</translation>
    </message>
</context>
<context>
    <name>LaneRows</name>
    <message>
        <source>{lane}: drag to mark an interval</source>
        <translation>{lane}：拖动以标记区间</translation>
    </message>
</context>
<context>
    <name>LaneScrollBar</name>
    <message>
        <source>Scroll the lanes</source>
        <translation>滚动轨道</translation>
    </message>
</context>
<context>
    <name>LimitControls</name>
    <message>
        <source>Reset to defaults</source>
        <translation>恢复默认设置</translation>
    </message>
</context>
<context>
    <name>LiveBar</name>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Frames per second: shown / delivered by the camera</source>
        <translation>每秒画面数：显示 / 摄像头提供</translation>
    </message>
    <message>
        <source>Latency from the arrival of a frame until it is painted with landmarks: the median, and the value that 95 % of the last 300 frames stayed below</source>
        <translation>从画面到达到连同关键点绘出的延迟：中位数，以及最近 300 帧中 95 % 的帧未超过的值</translation>
    </message>
    <message>
        <source>Frames that were skipped because newer ones had arrived</source>
        <translation>因有更新的画面而跳过的画面</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Start again</source>
        <translation>重新开始</translation>
    </message>
    <message>
        <source>Stop recording</source>
        <translation>停止录制</translation>
    </message>
    <message>
        <source>{shown} / {came} fps</source>
        <translation>{shown} / {came} fps</translation>
    </message>
    <message>
        <source>{median} ms (95 %: {p95})</source>
        <translation>{median} ms（95 %：{p95}）</translation>
    </message>
    <message>
        <source>{count} dropped</source>
        <translation>跳过 {count}</translation>
    </message>
    <message>
        <source> ({count} lost)</source>
        <translation>（丢失 {count}）</translation>
    </message>
    <message>
        <source>frames written: {frames}; not written in time: {count}</source>
        <translation>已写入的帧：{frames}；未能及时写入：{count}</translation>
    </message>
</context>
<context>
    <name>LiveController</name>
    <message>
        <source>Stop &amp;recording</source>
        <translation>停止录制(&amp;R)</translation>
    </message>
    <message>
        <source>Folder for recordings</source>
        <translation>录像文件夹</translation>
    </message>
    <message>
        <source>Open a camera or stream first.</source>
        <translation>请先打开摄像头或网络流。</translation>
    </message>
    <message>
        <source>The live view is stopped: start it again.</source>
        <translation>实时画面已停止：请重新开始。</translation>
    </message>
    <message>
        <source>Into {folder}</source>
        <translation>保存到 {folder}</translation>
    </message>
    <message>
        <source>No frame arrived during the recording: no file was kept.</source>
        <translation>录制期间没有收到画面：未保存任何内容。</translation>
    </message>
    <message>
        <source> and </source>
        <translation>和</translation>
    </message>
    <message numerus="yes">
        <source>The recording was saved: {names} in {folder}, %n frame(s).</source>
        <translation>
            <numerusform>录像已保存：{folder} 中的 {names}，共 %n 帧。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) could not be written in time: use a smaller camera mode or a faster disk.</source>
        <translation>
            <numerusform>有 %n 帧未能及时写入：请使用更小的摄像头模式或更快的磁盘。</numerusform>
        </translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
</context>
<context>
    <name>LookedAtForm</name>
    <message>
        <source>Mark a loop in which the person looks at one point, or go to the middle of such a second, and add it. One look into the camera corrects the offsets of the eyes; three points or more also correct how far they turn.</source>
        <translation>标记一段人物注视同一点的循环，或转到这样一秒的中间，然后添加。看一次摄像头可修正双眼的偏移；三个或更多的点还可修正转动幅度。</translation>
    </message>
    <message>
        <source>the camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>a place, in mm from the camera</source>
        <translation>某个位置（相对摄像头，毫米）</translation>
    </message>
    <message>
        <source>Re&amp;move the point</source>
        <translation>移除该点(&amp;M)</translation>
    </message>
    <message>
        <source>Points that the person looked at</source>
        <translation>人物注视过的点</translation>
    </message>
    <message>
        <source>&amp;Add the loop</source>
        <translation>添加循环(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Add this second</source>
        <translation>添加这一秒(&amp;A)</translation>
    </message>
    <message>
        <source>{start} to {end} s: {target}</source>
        <translation>{start} 至 {end} 秒：{target}</translation>
    </message>
    <message>
        <source>{x}, {y}, {z} mm</source>
        <translation>{x}, {y}, {z} mm</translation>
    </message>
    <message>
        <source>right</source>
        <translation>右</translation>
    </message>
    <message>
        <source>To the right of the picture</source>
        <translation>向画面右侧</translation>
    </message>
    <message>
        <source>down</source>
        <translation>向下</translation>
    </message>
    <message>
        <source>Downwards</source>
        <translation>向下</translation>
    </message>
    <message>
        <source>ahead</source>
        <translation>前</translation>
    </message>
    <message>
        <source>From the camera towards the person</source>
        <translation>从摄像头朝向人物</translation>
    </message>
    <message>
        <source>&amp;Person</source>
        <translation>人物(&amp;P)</translation>
    </message>
    <message>
        <source>Looks a&amp;t</source>
        <translation>注视(&amp;T)</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>&amp;Play</source>
        <translation>播放(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Pause</source>
        <translation>暂停(&amp;P)</translation>
    </message>
    <message>
        <source>Stop the &amp;camera</source>
        <translation>停止摄像头(&amp;C)</translation>
    </message>
    <message>
        <source>Start ag&amp;ain</source>
        <translation>重新开始(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Stop the live view</source>
        <translation>停止实时画面(&amp;S)</translation>
    </message>
    <message>
        <source>Continue &amp;tracking</source>
        <translation>继续跟踪(&amp;T)</translation>
    </message>
    <message>
        <source>Pause &amp;tracking</source>
        <translation>暂停跟踪(&amp;T)</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is not a position: enter a time such as 1:23.4 or 83s, or a frame number</source>
        <translation>“{text}”不是有效位置：请输入 1:23.4 或 83s 这样的时间，或帧号</translation>
    </message>
</context>
<context>
    <name>ManualWindow</name>
    <message>
        <source>Manual</source>
        <translation>手册</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>页面</translation>
    </message>
    <message>
        <source>The pages are in English.</source>
        <translation>页面为英文。</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>Search this page</source>
        <translation>在此页中搜索</translation>
    </message>
</context>
<context>
    <name>Message</name>
    <message>
        <source>Dismiss</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>MoreFacesMessage</name>
    <message>
        <source>Track up to {count} faces from now on</source>
        <translation>从现在起最多跟踪 {count} 张人脸</translation>
    </message>
</context>
<context>
    <name>MotionTables</name>
    <message>
        <source>How far the stabilizer moves the landmarks. A large distance means that the stabilized landmarks lag behind or that the raw ones are wrong.</source>
        <translation>稳定器移动关键点的距离。距离大说明稳定后的点滞后，或原始点有误。</translation>
    </message>
    <message>
        <source>Where the face is at rest</source>
        <translation>人脸静止处</translation>
    </message>
    <message>
        <source>Mean Allan variance of the landmarks of this region where the face is at rest. Lower is stiller.</source>
        <translation>该区域关键点在人脸静止处的平均 Allan 方差。越小越稳。</translation>
    </message>
    <message>
        <source>MAV by region, at rest</source>
        <translation>各区域 MAV（静止时）</translation>
    </message>
    <message>
        <source>There is nothing to measure yet.</source>
        <translation>尚无可测量的内容。</translation>
    </message>
    <message>
        <source>Raw and stabilized landmarks lie {percent} of the eye distance apart ({pixels}).</source>
        <translation>原始点与稳定后的点相距眼距的 {percent}（{pixels}）。</translation>
    </message>
    <message>
        <source>The face is at rest in {share} of the frames that contain it.</source>
        <translation>在出现人脸的帧中，{share} 的帧里人脸静止。</translation>
    </message>
    <message>
        <source>The face is never at rest for half a second. MAV and MCV are measured at rest, since they count real motion as jitter. Fast motion, above, tells the jitter of a moving face.</source>
        <translation>人脸从未静止超过半秒。MAV 和 MCV 只在静止时测量，因为它们会把真实运动算作抖动。运动中的抖动请看上方的“快速运动”。</translation>
    </message>
    <message>
        <source>MAV</source>
        <translation>MAV</translation>
    </message>
    <message>
        <source>Mean Allan variance, in (% of the eye distance)²: how far the landmarks jump from one frame to the next. Lower is stiller; 0 is a landmark that does not move. It is the measure of jitter.</source>
        <translation>平均 Allan 方差，单位（眼距的 %）²：关键点从一帧到下一帧跳动多远。越小越稳；0 表示完全不动。它是抖动的度量。</translation>
    </message>
    <message>
        <source>MCV, %</source>
        <translation>MCV，%</translation>
    </message>
    <message>
        <source>Mean coefficient of variation: how unevenly the distances of a landmark from its mean position are spread, relative to their mean. It does not tell how large they are: pure jitter has about 52 %, a slow even drift about 58 %. So it may rise when a stabilizer removes the jitter and only a small slow drift is left. Read it together with MAV, and never alone.</source>
        <translation>平均变异系数：关键点到其平均位置的距离分布有多不均匀（相对于平均值）。它不说明距离的大小：纯抖动约为 52 %，缓慢均匀的漂移约为 58 %。因此当稳定器去除抖动、只剩微小的缓慢漂移时，它可能上升。请与 MAV 一起看，不要单独使用。</translation>
    </message>
    <message>
        <source>motion, %</source>
        <translation>运动，%</translation>
    </message>
    <message>
        <source>Mean way of a landmark from one frame to the next, in % of the eye distance. At rest, lower is stiller.</source>
        <translation>关键点从一帧到下一帧的平均位移，占眼距的 %。静止时越小越稳。</translation>
    </message>
</context>
<context>
    <name>OwnModels</name>
    <message>
        <source>Another model is being checked: add this one afterwards.</source>
        <translation>正在检查另一个模型：请稍后再添加。</translation>
    </message>
    <message>
        <source>{name} is part of Steadymark and cannot be removed; you can remove models that you added.</source>
        <translation>{name} 是 Steadymark 自带的模型，不能移除：只能移除自有模型。</translation>
    </message>
    <message>
        <source>{name} was removed from the list; its files were not deleted.</source>
        <translation>{name} 已从列表移除；其文件仍保留。</translation>
    </message>
    <message>
        <source>Add a model</source>
        <translation>添加模型</translation>
    </message>
    <message>
        <source>Models ({kinds})</source>
        <translation>模型 ({kinds})</translation>
    </message>
    <message>
        <source>{name} was added to the list of models.</source>
        <translation>{name} 已加入模型列表。</translation>
    </message>
</context>
<context>
    <name>PeopleController</name>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Merge</source>
        <translation>合并</translation>
    </message>
    <message>
        <source>Split here</source>
        <translation>在此拆分</translation>
    </message>
    <message>
        <source>Swap from here</source>
        <translation>从此处互换</translation>
    </message>
    <message>
        <source>Neutral here</source>
        <translation>此处为中性</translation>
    </message>
    <message>
        <source>{one} may be {other}: they look alike and are never seen together.</source>
        <translation>{one} 可能是 {other}：两者相像，且从未同时出现。</translation>
    </message>
    <message>
        <source>A live view has no list of persons: record it and open the recording.</source>
        <translation>实时画面没有人物列表：请录制后打开录像。</translation>
    </message>
    <message>
        <source>No face was found.</source>
        <translation>没有找到人脸。</translation>
    </message>
    <message>
        <source>{name} has two faces in frame {frame}: undo the merge, or split the person there.</source>
        <translation>{name} 在第 {frame} 帧有两张人脸：请撤销合并，或在该处拆分此人。</translation>
    </message>
    <message>
        <source>Select two or more persons in the list first</source>
        <translation>请先在列表中选择两个或更多人物</translation>
    </message>
    <message>
        <source>Possible when tracking is finished</source>
        <translation>跟踪完成后可用</translation>
    </message>
    <message>
        <source>Select two persons in the list first</source>
        <translation>请先在列表中选择两个人物</translation>
    </message>
    <message>
        <source>Select one person in the list first.</source>
        <translation>请先在列表中选择一个人物。</translation>
    </message>
    <message>
        <source>The face of the next half second is neutral.</source>
        <translation>接下来半秒内的表情将作为中性表情。</translation>
    </message>
    <message>
        <source>{name} is neutral in the half second from this frame on: shapes are relative to it.</source>
        <translation>从此帧起的半秒内，{name} 为中性表情：混合形状以此为基准。</translation>
    </message>
    <message>
        <source>The neutral face is forgotten.</source>
        <translation>已取消所选的中性表情。</translation>
    </message>
</context>
<context>
    <name>PeopleModel</name>
    <message>
        <source>Person</source>
        <translation>人物</translation>
    </message>
    <message>
        <source>Faces</source>
        <translation>人脸</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s)</source>
        <translation>
            <numerusform>%n 帧</numerusform>
        </translation>
    </message>
    <message>
        <source>frames {first} to {last}</source>
        <translation>第 {first} 至 {last} 帧</translation>
    </message>
    <message>
        <source>neutral in frame {frame}</source>
        <translation>第 {frame} 帧为中性</translation>
    </message>
    <message>
        <source>gaze is calibrated</source>
        <translation>视线已校准</translation>
    </message>
    <message numerus="yes">
        <source>two faces at once in %n frame(s), first in frame {frame}</source>
        <translation>
            <numerusform>有 %n 帧同时有两张人脸，最先在第 {frame} 帧</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PeoplePanel</name>
    <message>
        <source>People</source>
        <translation>人物</translation>
    </message>
    <message>
        <source>Persons</source>
        <translation>人物</translation>
    </message>
    <message>
        <source>Merge</source>
        <translation>合并</translation>
    </message>
    <message>
        <source>Make one person of both</source>
        <translation>将两者合为一人</translation>
    </message>
    <message>
        <source>Different persons</source>
        <translation>不是同一人</translation>
    </message>
    <message>
        <source>Do not suggest these two again</source>
        <translation>不再建议这两者</translation>
    </message>
</context>
<context>
    <name>PlaybackBar</name>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>frame</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>Enter a time: 83.4s, 1:23.4 or 1:02:03</source>
        <translation>输入时间：83.4s、1:23.4 或 1:02:03</translation>
    </message>
    <message>
        <source>Enter a frame number, from 0</source>
        <translation>输入帧号，从 0 开始</translation>
    </message>
    <message>
        <source>of {clock}</source>
        <translation>/ {clock}</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>Playback speed</source>
        <translation>播放速度</translation>
    </message>
</context>
<context>
    <name>PlotStack</name>
    <message>
        <source>time, s</source>
        <translation>时间，s</translation>
    </message>
</context>
<context>
    <name>Plots</name>
    <message>
        <source>Plots</source>
        <translation>曲线图</translation>
    </message>
    <message>
        <source>Jitter</source>
        <translation>抖动</translation>
    </message>
    <message>
        <source>MAV, 1 s</source>
        <translation>MAV，1 s</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>置信度</translation>
    </message>
    <message>
        <source>score</source>
        <translation>置信度</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>speed, %/s</source>
        <translation>速度，%/s</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>误差</translation>
    </message>
    <message>
        <source>NRMSE, %</source>
        <translation>NRMSE，%</translation>
    </message>
    <message>
        <source>Show or hide this curve</source>
        <translation>显示或隐藏此曲线</translation>
    </message>
    <message>
        <source>Region of the jitter curve</source>
        <translation>抖动曲线的区域</translation>
    </message>
    <message>
        <source>The part of the face whose jitter is plotted</source>
        <translation>绘制其抖动的人脸部位</translation>
    </message>
    <message>
        <source>raw</source>
        <translation>原始</translation>
    </message>
    <message>
        <source>stabilized</source>
        <translation>稳定后</translation>
    </message>
    <message>
        <source>Click to go there, turn the wheel to zoom, double-click to show everything.</source>
        <translation>单击：跳转到该处。滚轮：缩放。双击：显示全部。</translation>
    </message>
    <message>
        <source>Bold where the face is at rest: the value is jitter. Faint: the value includes motion.</source>
        <translation>粗线：人脸静止，即为抖动。浅色：包含真实运动。</translation>
    </message>
</context>
<context>
    <name>PresetBar</name>
    <message>
        <source>own settings</source>
        <translation>自定义设置</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Save, delete and find presets</source>
        <translation>保存、删除和查找预设</translation>
    </message>
    <message>
        <source>&amp;Save as preset…</source>
        <translation>存为预设(&amp;S)…</translation>
    </message>
    <message>
        <source>&amp;Delete this preset</source>
        <translation>删除此预设(&amp;D)</translation>
    </message>
    <message>
        <source>Show the &amp;folder of presets</source>
        <translation>打开预设文件夹(&amp;F)</translation>
    </message>
    <message numerus="yes">
        <source>%n face(s)</source>
        <translation>
            <numerusform>%n 张人脸</numerusform>
        </translation>
    </message>
    <message>
        <source>detector from {threshold}</source>
        <translation>检测阈值 {threshold}</translation>
    </message>
    <message>
        <source>Save as preset</source>
        <translation>存为预设</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>预设名称</translation>
    </message>
    <message>
        <source>The folder {folder} cannot be created: {why}</source>
        <translation>无法创建文件夹 {folder}：{why}</translation>
    </message>
</context>
<context>
    <name>QueueList</name>
    <message>
        <source>Video</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>With face</source>
        <translation>有人脸</translation>
    </message>
    <message>
        <source>Lost</source>
        <translation>丢失</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>置信度</translation>
    </message>
    <message>
        <source>Share of the processed frames with a face</source>
        <translation>已处理的帧中有人脸的比例</translation>
    </message>
    <message>
        <source>How often no face was tracked: the number of spans of frames</source>
        <translation>未跟踪到人脸的次数：帧区间的个数</translation>
    </message>
    <message>
        <source>Median score of the landmarks, from 0 to 1</source>
        <translation>关键点得分的中位数（0 到 1）</translation>
    </message>
    <message>
        <source>Open the result</source>
        <translation>打开结果</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>打开所在文件夹</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>从列表中移除</translation>
    </message>
    <message>
        <source>not started</source>
        <translation>未开始</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>tracking</source>
        <translation>正在跟踪</translation>
    </message>
    <message>
        <source>done</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>已损坏</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>cancelled</source>
        <translation>已取消</translation>
    </message>
    <message numerus="yes">
        <source>%n warning(s)</source>
        <translation>
            <numerusform>%n 条警告</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>QueueWindow</name>
    <message>
        <source>Track and export many videos</source>
        <translation>批量跟踪并导出视频</translation>
    </message>
    <message>
        <source>and a video with landmarks</source>
        <translation>以及带关键点的视频</translation>
    </message>
    <message>
        <source>replace existing files</source>
        <translation>替换已有文件</translation>
    </message>
    <message>
        <source>&amp;Start</source>
        <translation>开始(&amp;B)</translation>
    </message>
    <message>
        <source>&amp;Cancel selected</source>
        <translation>取消所选(&amp;C)</translation>
    </message>
    <message>
        <source>Cancel &amp;all</source>
        <translation>全部取消(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Open folder</source>
        <translation>打开文件夹(&amp;O)</translation>
    </message>
    <message>
        <source>C&amp;lear finished</source>
        <translation>清除已完成(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Report…</source>
        <translation>报告(&amp;R)…</translation>
    </message>
    <message>
        <source>Write one page about all finished videos</source>
        <translation>为所有已完成的视频写一页报告</translation>
    </message>
    <message>
        <source>Add a folder of videos</source>
        <translation>添加视频文件夹</translation>
    </message>
    <message>
        <source>Videos</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Table format</source>
        <translation>表格类型</translation>
    </message>
    <message>
        <source>Folder of the results</source>
        <translation>结果文件夹</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>选择…</translation>
    </message>
    <message>
        <source>At most the number of processor cores; a live view needs some of them.</source>
        <translation>不超过本机的处理器核心数；实时画面本身也需要其中几个核心。</translation>
    </message>
    <message>
        <source>Write</source>
        <translation>写入</translation>
    </message>
    <message>
        <source>to</source>
        <translation>到</translation>
    </message>
    <message>
        <source>Videos at a time</source>
        <translation>同时跟踪的视频数</translation>
    </message>
    <message>
        <source>Add &amp;videos…</source>
        <translation>添加视频(&amp;V)…</translation>
    </message>
    <message>
        <source>Add &amp;folder…</source>
        <translation>添加文件夹(&amp;F)…</translation>
    </message>
    <message>
        <source>Add videos</source>
        <translation>添加视频</translation>
    </message>
    <message>
        <source>Videos ({kinds});;All files (*)</source>
        <translation>视频 ({kinds});;所有文件 (*)</translation>
    </message>
    <message>
        <source>{waiting} waiting, {done} finished, {failed} failed.</source>
        <translation>待跟踪 {waiting}，已完成 {done}，失败 {failed}。</translation>
    </message>
    <message>
        <source>The videos are tracked with the settings of the main window, each from beginning to end, as &apos;steadymark track&apos; does it.</source>
        <translation>将使用主窗口的设置跟踪，每个视频都从头到尾，与“steadymark track”相同。</translation>
    </message>
</context>
<context>
    <name>RecentMenu</name>
    <message>
        <source>Open &amp;recent</source>
        <translation>最近打开(&amp;R)</translation>
    </message>
    <message>
        <source>Clear this list</source>
        <translation>清空此列表</translation>
    </message>
</context>
<context>
    <name>ResponseCurve</name>
    <message>
        <source>Measured and sent strength</source>
        <translation>测量强度与发送强度</translation>
    </message>
    <message>
        <source>To the right: the measured strength. Up: the one that is sent.</source>
        <translation>向右：测量强度。向上：发送强度。</translation>
    </message>
</context>
<context>
    <name>ResultsOpener</name>
    <message>
        <source>The video of {name} was not found: put both into one folder, or choose the video when you open {name}.</source>
        <translation>未找到 {name} 的视频：请将两者放入同一文件夹，或在打开 {name} 时选择视频。</translation>
    </message>
    <message>
        <source>Choose the video of {name}</source>
        <translation>选择 {name} 的视频</translation>
    </message>
    <message>
        <source>Videos ({kinds});;All files (*)</source>
        <translation>视频 ({kinds});;所有文件 (*)</translation>
    </message>
    <message>
        <source>Track anew</source>
        <translation>重新跟踪</translation>
    </message>
</context>
<context>
    <name>ReviewController</name>
    <message>
        <source>Next</source>
        <translation>下一个</translation>
    </message>
    <message>
        <source>Previous</source>
        <translation>上一个</translation>
    </message>
    <message>
        <source>Accept</source>
        <translation>接受</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>排除</translation>
    </message>
    <message>
        <source>A live view has no review: record it and open the recording.</source>
        <translation>实时画面无法审阅：请先录制，再打开录像。</translation>
    </message>
    <message>
        <source>Tracking is not finished: these are the doubtful stretches so far.</source>
        <translation>跟踪尚未完成：以下是目前发现的可疑片段。</translation>
    </message>
    <message>
        <source>Tracking is not finished: there is no doubtful stretch so far.</source>
        <translation>跟踪尚未完成：目前没有可疑片段。</translation>
    </message>
    <message>
        <source>No face was found, so there is nothing to review.</source>
        <translation>没有找到人脸，因此无可审阅。</translation>
    </message>
    <message>
        <source>There is no doubtful stretch.</source>
        <translation>没有可疑片段。</translation>
    </message>
    <message>
        <source>All doubtful stretches were looked at.</source>
        <translation>所有可疑片段都已查看。</translation>
    </message>
    <message>
        <source>Open again</source>
        <translation>重新待审</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>取消排除</translation>
    </message>
    <message>
        <source>A longer interval excludes this stretch: change the interval in the timeline.</source>
        <translation>一个更长的区间排除了此片段：请在时间轴中修改该区间。</translation>
    </message>
</context>
<context>
    <name>ReviewExports</name>
    <message>
        <source>Export doubtful stretches</source>
        <translation>导出可疑片段</translation>
    </message>
    <message>
        <source>Export statistics of intervals</source>
        <translation>导出区间统计</translation>
    </message>
    <message>
        <source>Write a report</source>
        <translation>写报告</translation>
    </message>
</context>
<context>
    <name>ReviewPanel</name>
    <message>
        <source>Review</source>
        <translation>审阅</translation>
    </message>
    <message>
        <source>To do</source>
        <translation>待审</translation>
    </message>
    <message>
        <source>All</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>Which stretches are listed</source>
        <translation>列出哪些片段</translation>
    </message>
    <message>
        <source>Worst first</source>
        <translation>最严重的在前</translation>
    </message>
    <message>
        <source>By time</source>
        <translation>按时间</translation>
    </message>
    <message>
        <source>Order of the stretches</source>
        <translation>片段的顺序</translation>
    </message>
    <message>
        <source>{done} of {all} looked at</source>
        <translation>已查看 {done}，共 {all}</translation>
    </message>
    <message>
        <source>Doubtful stretches</source>
        <translation>可疑片段</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>阈值</translation>
    </message>
    <message>
        <source>Show or hide from which value on a stretch is doubtful</source>
        <translation>显示或隐藏片段从何值起算作可疑</translation>
    </message>
</context>
<context>
    <name>ScreenForm</name>
    <message>
        <source>Sit before the camera as you usually do. Points appear on the whole screen: look at each of them until the next one appears.</source>
        <translation>像平常一样坐在摄像头前。整个屏幕上会出现一些点：请注视每个点，直到下一个点出现。</translation>
    </message>
    <message>
        <source>Negative if the camera is below the upper edge</source>
        <translation>摄像头低于上边缘时为负</translation>
    </message>
    <message>
        <source>As you see it; negative if the camera is on the left</source>
        <translation>以您的视角为准；摄像头在左侧时为负</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>&amp;Width of the screen</source>
        <translation>屏幕宽度(&amp;W)</translation>
    </message>
    <message>
        <source>&amp;Height of the screen</source>
        <translation>屏幕高度(&amp;H)</translation>
    </message>
    <message>
        <source>Camera &amp;above its upper edge</source>
        <translation>摄像头高于上边缘(&amp;A)</translation>
    </message>
    <message>
        <source>Camera &amp;right of its middle</source>
        <translation>摄像头在中线右侧(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Points</source>
        <translation>点数(&amp;P)</translation>
    </message>
    <message>
        <source> mm</source>
        <translation> 毫米</translation>
    </message>
</context>
<context>
    <name>SettingsPanel</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>own threshold</source>
        <translation>自定义阈值</translation>
    </message>
    <message>
        <source>every </source>
        <translation>每 </translation>
    </message>
    <message>
        <source> frames</source>
        <translation> 帧</translation>
    </message>
    <message>
        <source>in every frame</source>
        <translation>每一帧</translation>
    </message>
    <message>
        <source>These settings require tracking from the beginning: the present results will be discarded.</source>
        <translation>这些设置需要从头重新跟踪：当前的跟踪结果将被丢弃。</translation>
    </message>
    <message>
        <source>Track again with these settings</source>
        <translation>用这些设置重新跟踪</translation>
    </message>
    <message>
        <source>Reset to defaults</source>
        <translation>恢复默认设置</translation>
    </message>
    <message>
        <source>in use: {device}</source>
        <translation>实际使用：{device}</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>{name} (recommended)</source>
        <translation>{name}（推荐）</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Landmarks</source>
        <translation>关键点</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Add and remove models</source>
        <translation>添加和移除模型</translation>
    </message>
    <message>
        <source>{name} (own)</source>
        <translation>{name}（自有）</translation>
    </message>
    <message>
        <source>It needs future frames, so it is applied when tracking is finished.</source>
        <translation>它需要用到后面的帧，因此在全部跟踪完成后才生效。</translation>
    </message>
    <message>
        <source>Stabilizer</source>
        <translation>稳定</translation>
    </message>
    <message>
        <source>Track again</source>
        <translation>重新跟踪</translation>
    </message>
    <message>
        <source>{name} (3D points)</source>
        <translation>{name}（3D 点）</translation>
    </message>
    <message>
        <source>{name} ({ms} ms, {error} %)</source>
        <translation>{name}（{ms} ms，{error} %）</translation>
    </message>
    <message>
        <source>In brackets: CPU time of one face on the computer that measured it, and mean error on 300W common in % of the distance of the outer eye corners</source>
        <translation>括号内：在测量所用的计算机上处理一张人脸的 CPU 时间，以及在 300W common 上的平均误差（占外眼角距离的百分比）</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>方法</translation>
    </message>
    <message>
        <source>Faces</source>
        <translation>人脸</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>最多</translation>
    </message>
    <message>
        <source>Detector</source>
        <translation>检测器</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>阈值</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>检测</translation>
    </message>
    <message>
        <source>Focal length</source>
        <translation>焦距</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Requested</source>
        <translation>首选</translation>
    </message>
    <message>
        <source>How often the detector searches for more faces while fewer than the maximum are tracked; it searches for lost faces in every frame</source>
        <translation>在已知人脸少于上限时，检测器多久寻找一次其他人脸；丢失的人脸会立即寻找</translation>
    </message>
    <message>
        <source>Focal length of the camera in pixels; the distances of heads are computed from it</source>
        <translation>相机的焦距（像素）：头部距离由此得出</translation>
    </message>
    <message>
        <source>Lowest detector score of a face</source>
        <translation>检测得分达到该值即视为人脸</translation>
    </message>
</context>
<context>
    <name>ShapeControls</name>
    <message>
        <source>&amp;Both sides</source>
        <translation>左右两侧(&amp;B)</translation>
    </message>
    <message>
        <source>Give the left and the right shape the same settings</source>
        <translation>左右形状使用相同的设置</translation>
    </message>
    <message>
        <source>&amp;Reset this shape</source>
        <translation>重置此形状(&amp;R)</translation>
    </message>
    <message>
        <source>measured {measured}, sent {sent}</source>
        <translation>测量 {measured}，发送 {sent}</translation>
    </message>
</context>
<context>
    <name>Shortcuts</name>
    <message>
        <source>&apos;{key}&apos; is not a key.</source>
        <translation>“{key}”不是有效按键。</translation>
    </message>
    <message>
        <source>{key} is needed to move between buttons and fields.</source>
        <translation>{key} 用于在按钮和输入框之间移动，不可占用。</translation>
    </message>
    <message>
        <source>{key} opens the menu &apos;{menu}&apos;: choose another key.</source>
        <translation>{key} 用于打开菜单“{menu}”：请选择其他按键。</translation>
    </message>
    <message>
        <source>{key} is the key of the lane &apos;{lane}&apos;: choose another key.</source>
        <translation>{key} 是轨道“{lane}”的按键：请选择其他按键。</translation>
    </message>
    <message>
        <source>{key} is already used for &apos;{command}&apos;: choose another key, or assign another key to that command first.</source>
        <translation>{key} 已用于“{command}”：请选择其他按键，或先为该命令更换按键。</translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
    <message>
        <source>Search for a command or a key</source>
        <translation>搜索命令或按键</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>按键</translation>
    </message>
    <message>
        <source>Commands and their shortcuts</source>
        <translation>命令及其按键</translation>
    </message>
    <message>
        <source>New key</source>
        <translation>新按键</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>使用</translation>
    </message>
    <message>
        <source>Also use</source>
        <translation>追加</translation>
    </message>
    <message>
        <source>No key</source>
        <translation>无按键</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>重置</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>全部重置</translation>
    </message>
    <message>
        <source>Assign this key to the command instead of its present keys</source>
        <translation>该命令改用此按键，取代原有按键</translation>
    </message>
    <message>
        <source>Add this key to the present keys of the command</source>
        <translation>该命令保留原有按键，并追加此按键</translation>
    </message>
    <message>
        <source>The command has no key and is only in the menus</source>
        <translation>该命令只能从菜单使用</translation>
    </message>
    <message>
        <source>Assign the default keys to the command</source>
        <translation>该命令恢复出厂按键</translation>
    </message>
</context>
<context>
    <name>StartPage</name>
    <message>
        <source>Open video…</source>
        <translation>打开视频…</translation>
    </message>
    <message>
        <source>Open camera…</source>
        <translation>打开摄像头…</translation>
    </message>
    <message>
        <source>Try the demo clip</source>
        <translation>试看演示视频</translation>
    </message>
    <message>
        <source>Recent recordings</source>
        <translation>最近打开</translation>
    </message>
    <message>
        <source>{path} is missing</source>
        <translation>{path} 不存在</translation>
    </message>
    <message>
        <source>Opening {name}</source>
        <translation>正在打开 {name}</translation>
    </message>
    <message>
        <source>Counting its frames and loading the networks.</source>
        <translation>正在统计帧数并加载网络。</translation>
    </message>
    <message>
        <source>Waiting for the first frame and loading the networks.</source>
        <translation>正在等待第一帧画面并加载网络。</translation>
    </message>
    <message>
        <source>Drop a video here, or open a camera</source>
        <translation>将视频拖放到这里，或打开摄像头</translation>
    </message>
    <message>
        <source>Steadymark tracks 68 landmarks on one face or on several, shows how stable they are, and exports them. Nothing leaves this computer.</source>
        <translation>Steadymark 跟踪一张或多张人脸上的 68 个关键点，显示其稳定程度并可导出。一切都留在本机。</translation>
    </message>
</context>
<context>
    <name>StatisticsPanel</name>
    <message>
        <source>Statistics</source>
        <translation>数值</translation>
    </message>
    <message>
        <source>Face</source>
        <translation>人脸</translation>
    </message>
    <message>
        <source>Landmark</source>
        <translation>关键点</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>对比</translation>
    </message>
    <message>
        <source>with</source>
        <translation>与</translation>
    </message>
    <message>
        <source>Frames processed</source>
        <translation>已处理的帧</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详细信息</translation>
    </message>
    <message>
        <source>Show or hide comparisons, tables and figures</source>
        <translation>显示或隐藏对比、表格和数值</translation>
    </message>
    <message>
        <source>no face in this frame</source>
        <translation>此帧无人脸</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Time per frame</source>
        <translation>每帧耗时</translation>
    </message>
    <message>
        <source>Tracking a second time with {name}: {share}</source>
        <translation>正在用 {name} 再次跟踪：{share}</translation>
    </message>
    <message numerus="yes">
        <source>{share} of %n frame(s)</source>
        <translation>
            <numerusform>共 %n 帧，其中 {share}</numerusform>
        </translation>
    </message>
    <message>
        <source>no frame yet</source>
        <translation>尚无画面</translation>
    </message>
    <message>
        <source>no network is open</source>
        <translation>未打开网络</translation>
    </message>
    <message>
        <source>landmarks</source>
        <translation>关键点</translation>
    </message>
    <message>
        <source>detector</source>
        <translation>检测器</translation>
    </message>
    <message>
        <source>not measured yet</source>
        <translation>尚未测量</translation>
    </message>
    <message>
        <source>{name} (tracks again)</source>
        <translation>{name}（重新跟踪）</translation>
    </message>
    <message>
        <source>There is nothing to measure yet.</source>
        <translation>尚无可测量的内容。</translation>
    </message>
    <message>
        <source>&lt;b&gt;Jitter or motion?&lt;/b&gt; These figures use only frames in which the face is at rest: in the second around a frame, the mean positions of the landmarks in its two halves lie less than 0.5 % of the inter-ocular distance apart, and the landmarks deviate from their mean by less than 3 %, for raw and stabilized points alike. What moves there is jitter. Elsewhere the values include motion, and the curves are faint.</source>
        <translation>&lt;b&gt;抖动还是运动？&lt;/b&gt;这些数值只取自人脸静止之处：在某帧前后一秒内，前后两半的关键点平均位置相差小于外眼角间距的 0.5 %，且偏离各自平均值小于 3 %，原始点与稳定后的点都须满足。此处的位移即为抖动。其他位置包含真实运动，曲线以浅色显示。</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Frames processed</source>
        <translation>已处理的帧</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>正在打开…</translation>
    </message>
    <message>
        <source>Opening {name}…</source>
        <translation>正在打开 {name}…</translation>
    </message>
    <message>
        <source>These results were kept when the recording was closed. &apos;Track again from the beginning&apos; computes them anew.</source>
        <translation>这些结果是关闭录像时保留的。“从头重新跟踪”会重新计算。</translation>
    </message>
    <message>
        <source>{rate} fps</source>
        <translation>{rate} fps</translation>
    </message>
    <message>
        <source>tracked on {device}</source>
        <translation>在 {device} 上跟踪</translation>
    </message>
    <message>
        <source>Tracking, {percent} of the frames processed</source>
        <translation>正在跟踪，已处理 {percent} 的帧</translation>
    </message>
    <message>
        <source>Results of {name}; not tracked here</source>
        <translation>{name} 的结果；并非在此跟踪</translation>
    </message>
    <message>
        <source>All frames processed, {share} with a face</source>
        <translation>所有帧已处理，{share} 有人脸</translation>
    </message>
    <message>
        <source>All frames processed on {date}, {share} with a face</source>
        <translation>所有帧已于 {date} 处理，{share} 有人脸</translation>
    </message>
    <message>
        <source>zoom {percent}</source>
        <translation>缩放 {percent}</translation>
    </message>
    <message>
        <source>Tracking paused at {percent}</source>
        <translation>跟踪已暂停，{percent}</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>实时</translation>
    </message>
    <message>
        <source>No frames arrive: reconnecting…</source>
        <translation>没有画面：正在重新连接…</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>Tracking stopped at {percent}</source>
        <translation>跟踪已中断，{percent}</translation>
    </message>
</context>
<context>
    <name>StreamingDialog</name>
    <message>
        <source>Send to other programs</source>
        <translation>发送到其他程序</translation>
    </message>
    <message>
        <source>Live results are sent immediately. Tracking never waits for a receiver: what cannot be sent in time is dropped and counted.</source>
        <translation>实时跟踪的结果会立即发送。跟踪从不等待接收方：来不及发送的数据会被丢弃并计数。</translation>
    </message>
    <message>
        <source>Take the face as neutral now</source>
        <translation>将当前表情设为中性表情</translation>
    </message>
    <message>
        <source>Sent expressions are relative to the person&apos;s neutral face. It is found in quiet moments. To choose it, look into the camera with a relaxed face, and press this.</source>
        <translation>发送的表情以该人的中性表情为基准。程序会在安静的时刻找到它。要自行选择，请放松面部、看向摄像头，然后按此按钮。</translation>
    </message>
    <message>
        <source>127.0.0.1 is this computer. Other addresses send over the network, where others may read the data.</source>
        <translation>127.0.0.1 是本机。其他地址会通过网络发送，网络上任何人都可能读取。</translation>
    </message>
    <message>
        <source>{name}: state</source>
        <translation>{name}：状态</translation>
    </message>
</context>
<context>
    <name>StretchModel</name>
    <message>
        <source>Face</source>
        <translation>人脸</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Duration</source>
        <translation>时长</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>原因</translation>
    </message>
    <message>
        <source>not looked at</source>
        <translation>未查看</translation>
    </message>
    <message>
        <source>accepted</source>
        <translation>已接受</translation>
    </message>
    <message>
        <source>excluded</source>
        <translation>已排除</translation>
    </message>
</context>
<context>
    <name>TableExportDialog</name>
    <message>
        <source>Export table</source>
        <translation>导出表格</translation>
    </message>
    <message>
        <source>one for each face (long)</source>
        <translation>每张人脸一行（长表）</translation>
    </message>
    <message>
        <source>one for each frame (wide)</source>
        <translation>每帧一行（宽表）</translation>
    </message>
    <message>
        <source>Apply the review: corrections, persons, exclusions</source>
        <translation>应用审阅：修正、人物、排除</translation>
    </message>
    <message>
        <source>marked in a column</source>
        <translation>在一列中标记</translation>
    </message>
    <message>
        <source>left out</source>
        <translation>省略</translation>
    </message>
    <message>
        <source>A file for each person, with the name in it</source>
        <translation>每个人物一个文件，文件名含姓名</translation>
    </message>
    <message>
        <source>Only the looped region</source>
        <translation>仅循环区间</translation>
    </message>
    <message>
        <source>Mark a loop first, with its start and end</source>
        <translation>请先标记循环区间的起点和终点</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>格式</translation>
    </message>
    <message>
        <source>Rows</source>
        <translation>行</translation>
    </message>
    <message>
        <source>Excluded rows</source>
        <translation>被排除的行</translation>
    </message>
</context>
<context>
    <name>TableExports</name>
    <message>
        <source>Export table</source>
        <translation>导出表格</translation>
    </message>
</context>
<context>
    <name>TargetScreen</name>
    <message>
        <source>Gaze calibration</source>
        <translation>视线校准</translation>
    </message>
    <message>
        <source>Look at the centre of the point until the next one appears. Esc cancels.</source>
        <translation>请注视点的中心，直到下一个点出现。按 Esc 取消。</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>第 {number} 个，共 {count} 个</translation>
    </message>
</context>
<context>
    <name>Timeline</name>
    <message>
        <source>Timeline</source>
        <translation>时间轴</translation>
    </message>
    <message>
        <source>One row per face. Green: with the face. Orange: no face. Grey: not processed yet. Black: damaged. Above: jitter. Below: annotations</source>
        <translation>每张人脸一行。绿色：有该人脸。橙色：无人脸。灰色：尚未处理。黑色：已损坏。上方：抖动。下方：标注</translation>
    </message>
    <message>
        <source>not processed yet</source>
        <translation>尚未处理</translation>
    </message>
    <message>
        <source>with a face</source>
        <translation>有人脸</translation>
    </message>
    <message>
        <source>not in the picture</source>
        <translation>不在画面中</translation>
    </message>
    <message>
        <source>no face</source>
        <translation>无人脸</translation>
    </message>
    <message>
        <source>damaged, no image</source>
        <translation>已损坏，无画面</translation>
    </message>
    <message>
        <source>face {number}: {state}</source>
        <translation>人脸 {number}：{state}</translation>
    </message>
    <message>
        <source>{clock}, frame {frame}: {state}</source>
        <translation>{clock}，第 {frame} 帧：{state}</translation>
    </message>
    <message>
        <source>A cut, or tracking began anew here</source>
        <translation>此处有镜头切换，或跟踪重新开始</translation>
    </message>
    <message>
        <source>Landmarks were corrected by hand here</source>
        <translation>此处的关键点经过手动校正</translation>
    </message>
</context>
<context>
    <name>TruthTables</name>
    <message>
        <source>Mean distance from the ground truth, in % of the distance between the outer eye corners. Lower is more accurate.</source>
        <translation>与真值点的平均距离，占外眼角间距的 %。越小越准确。</translation>
    </message>
    <message>
        <source>Against the ground truth</source>
        <translation>与真值对比</translation>
    </message>
    <message>
        <source>NRMSE, %</source>
        <translation>NRMSE，%</translation>
    </message>
    <message>
        <source>FR8, %</source>
        <translation>FR8，%</translation>
    </message>
    <message>
        <source>Share of frames with an error of 8 % or more, or without a face. Lower is better.</source>
        <translation>误差达到 8 % 或没有人脸的帧所占比例。越小越好。</translation>
    </message>
    <message>
        <source>MAV</source>
        <translation>MAV</translation>
    </message>
    <message>
        <source>Mean Allan variance of the error: how far it jumps from one frame to the next. Lower is stiller. Real motion does not count, since the ground truth makes it, too.</source>
        <translation>误差的平均 Allan 方差：误差从一帧到下一帧跳动多远。越小越稳。真实运动不计入，因为真值也随之运动。</translation>
    </message>
    <message>
        <source>MCV, %</source>
        <translation>MCV，%</translation>
    </message>
    <message>
        <source>Mean coefficient of variation: how unevenly the error is spread over the frames. Lower is more even, not more accurate; NRMSE tells the accuracy.</source>
        <translation>平均变异系数：误差在各帧间分布的不均匀程度。越小越均匀，但不代表更准确；准确度看 NRMSE。</translation>
    </message>
    <message>
        <source>lag, frames</source>
        <translation>延迟，帧</translation>
    </message>
    <message>
        <source>How many frames the landmarks are late. 0 is best; a filter that smooths strongly is late.</source>
        <translation>关键点滞后的帧数。0 最好；平滑过强的滤波器会滞后。</translation>
    </message>
    <message>
        <source>NRMSE by region, %</source>
        <translation>各区域 NRMSE，%</translation>
    </message>
    <message>
        <source>By frame and landmark</source>
        <translation>按帧和关键点</translation>
    </message>
    <message>
        <source>Show the worst frames, and the error of each landmark</source>
        <translation>显示误差最大的帧和每个关键点的误差</translation>
    </message>
    <message>
        <source>Ground truth {name}: {count} of its {frames} frames compared, {missed} without a face. MAV is computed from the error, so that real motion does not count as jitter.</source>
        <translation>真值 {name}：共 {frames} 帧，已对比 {count} 帧，{missed} 帧无人脸。MAV 按误差计算，因此真实运动不计为抖动。</translation>
    </message>
    <message>
        <source>The error is very large: are its landmarks numbered as iBUG&apos;s 68 landmarks are?</source>
        <translation>偏差如此之大：它的关键点是否按 iBUG 68 点编号？</translation>
    </message>
</context>
<context>
    <name>VerdictBox</name>
    <message>
        <source>Frames with this face</source>
        <translation>有此人脸的帧</translation>
    </message>
    <message>
        <source>In how many of the frames processed so far this face was found. Near 100 % is good; fewer frames mean that the face was turned away, covered, small or dark.</source>
        <translation>到目前为止处理的帧中有多少帧找到了此人脸。接近 100 % 为好；较少说明人脸转开、被遮挡、太小或太暗。</translation>
    </message>
    <message>
        <source>Score of the landmarks</source>
        <translation>关键点置信度</translation>
    </message>
    <message>
        <source>How certain the network is of its landmarks, from 0 to 1; the median over all landmarks and frames. Above 0.8 is good, below 0.6 is doubtful.</source>
        <translation>网络对其关键点的把握，从 0 到 1；为所有点和帧的中位数。高于 0.8 为好，低于 0.6 可疑。</translation>
    </message>
    <message>
        <source>Fast motion</source>
        <translation>快速运动</translation>
    </message>
    <message>
        <source>How far the landmarks move faster than 5 times per second, in % of the distance between the outer eye corners, without and with the stabilizer. It can be measured while the face moves. Jitter is fast; heads mostly move more slowly. A smaller value with the stabilizer is jitter that was removed. Calm faces have less than 0.2 %; above 1 % the landmarks tremble, or the face moves very fast.</source>
        <translation>关键点以每秒 5 次以上的频率移动的幅度，占外眼角间距的 %，分别为无稳定器和有稳定器时。人脸运动时也能得出。抖动很快，而头部大多动得较慢。有稳定器时数值变小，即抖动已被去除。平静的人脸低于 0.2 %；高于 1 % 则关键点在颤动，或人脸运动极快。</translation>
    </message>
    <message>
        <source>There is nothing to measure yet.</source>
        <translation>尚无可测量的内容。</translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation>评价</translation>
    </message>
    <message>
        <source>Good</source>
        <translation>良好</translation>
    </message>
    <message>
        <source>Doubtful</source>
        <translation>可疑</translation>
    </message>
    <message>
        <source>Lost</source>
        <translation>丢失</translation>
    </message>
    <message numerus="yes">
        <source>{share} of %n frame(s)</source>
        <translation>
            <numerusform>共 %n 帧，其中 {share}</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>VideoView</name>
    <message>
        <source>Video</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>not processed yet</source>
        <translation>尚未处理</translation>
    </message>
    <message>
        <source>No frames arrive: reconnecting…</source>
        <translation>没有画面：正在重新连接…</translation>
    </message>
</context>
<context>
    <name>WindowOptions</name>
    <message>
        <source>Lan&amp;guage</source>
        <translation>语言(&amp;G)</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>主题(&amp;T)</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
</context>
<context>
    <name>WorstFrames</name>
    <message>
        <source>Worst frames of</source>
        <translation>误差最大的帧，来自</translation>
    </message>
    <message>
        <source>Worst frames, {name}</source>
        <translation>误差最大的帧，{name}</translation>
    </message>
    <message>
        <source>Worst frames</source>
        <translation>误差最大的帧</translation>
    </message>
</context>
<context>
    <name>WorstFramesModel</name>
    <message>
        <source>Video</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>{name}: NRMSE in % of the distance between the outer eye corners</source>
        <translation>{name}：NRMSE，占外眼角间距的 %</translation>
    </message>
    <message>
        <source>The face was not found in this frame</source>
        <translation>此帧中未找到人脸</translation>
    </message>
</context>
<context>
    <name>_Line</name>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Exporting {name}</source>
        <translation>正在导出 {name}</translation>
    </message>
</context>
<context>
    <name>about</name>
    <message>
        <source>Facial landmarks that are accurate and stable.</source>
        <translation>准确且稳定的人脸关键点。</translation>
    </message>
    <message>
        <source>The program is under the MIT licence.</source>
        <translation>本程序采用 MIT 许可证。</translation>
    </message>
    <message>
        <source>Made with</source>
        <translation>使用的组件</translation>
    </message>
    <message>
        <source>Networks</source>
        <translation>网络模型</translation>
    </message>
</context>
<context>
    <name>colour_key</name>
    <message>
        <source>score</source>
        <translation>置信度</translation>
    </message>
    <message>
        <source>speed, % of the face/s</source>
        <translation>速度，人脸的 %/秒</translation>
    </message>
    <message>
        <source>corrected by hand</source>
        <translation>手动校正</translation>
    </message>
    <message>
        <source>landmarks</source>
        <translation>关键点</translation>
    </message>
</context>
<context>
    <name>commands</name>
    <message>
        <source>&amp;Open video…</source>
        <translation>打开视频(&amp;O)…</translation>
    </message>
    <message>
        <source>Open &amp;folder of images…</source>
        <translation>打开图片文件夹(&amp;F)…</translation>
    </message>
    <message>
        <source>Export &amp;video with landmarks…</source>
        <translation>导出带关键点的视频(&amp;V)…</translation>
    </message>
    <message>
        <source>Open &amp;camera or stream…</source>
        <translation>打开摄像头或网络流(&amp;C)…</translation>
    </message>
    <message>
        <source>Load &amp;ground truth…</source>
        <translation>载入真值(&amp;G)…</translation>
    </message>
    <message>
        <source>Remove groun&amp;d truth</source>
        <translation>移除真值(&amp;D)</translation>
    </message>
    <message>
        <source>C&amp;lose recording</source>
        <translation>关闭录像(&amp;L)</translation>
    </message>
    <message>
        <source>Export video of &amp;both, side by side…</source>
        <translation>导出两者并排的视频(&amp;I)…</translation>
    </message>
    <message>
        <source>Track and export m&amp;any videos…</source>
        <translation>批量跟踪并导出视频(&amp;B)…</translation>
    </message>
    <message>
        <source>Save this fra&amp;me as an image…</source>
        <translation>将当前帧存为图片(&amp;M)…</translation>
    </message>
    <message>
        <source>Copy t&amp;his frame</source>
        <translation>复制此帧(&amp;H)</translation>
    </message>
    <message>
        <source>Save the &amp;plots as an image…</source>
        <translation>将曲线图存为图片(&amp;P)…</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>退出(&amp;Q)</translation>
    </message>
    <message>
        <source>&amp;Play</source>
        <translation>播放(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Stop, back to the beginning</source>
        <translation>停止并回到开头(&amp;S)</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>后退一帧</translation>
    </message>
    <message>
        <source>One frame forward</source>
        <translation>前进一帧</translation>
    </message>
    <message>
        <source>1 second back</source>
        <translation>后退 1 秒</translation>
    </message>
    <message>
        <source>1 second forward</source>
        <translation>前进 1 秒</translation>
    </message>
    <message>
        <source>10 seconds back</source>
        <translation>后退 10 秒</translation>
    </message>
    <message>
        <source>10 seconds forward</source>
        <translation>前进 10 秒</translation>
    </message>
    <message>
        <source>First frame</source>
        <translation>第一帧</translation>
    </message>
    <message>
        <source>Last frame</source>
        <translation>最后一帧</translation>
    </message>
    <message>
        <source>&amp;Go to time or frame</source>
        <translation>转到时间或帧(&amp;G)</translation>
    </message>
    <message>
        <source>Slower</source>
        <translation>减慢</translation>
    </message>
    <message>
        <source>Faster</source>
        <translation>加快</translation>
    </message>
    <message>
        <source>Mark a &amp;loop: start, end, remove</source>
        <translation>标记循环区间(&amp;L)：起点、终点、取消</translation>
    </message>
    <message>
        <source>Pause &amp;tracking</source>
        <translation>暂停跟踪(&amp;T)</translation>
    </message>
    <message>
        <source>Track &amp;again from the beginning</source>
        <translation>从头重新跟踪(&amp;A)</translation>
    </message>
    <message>
        <source>Add a &amp;model…</source>
        <translation>添加模型(&amp;M)…</translation>
    </message>
    <message>
        <source>&amp;Remove the selected own model</source>
        <translation>移除所选的自有模型(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Record video and table</source>
        <translation>录制视频和表格(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Draw landmarks into recordings</source>
        <translation>在录像中绘制关键点(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;Folder for recordings…</source>
        <translation>录像文件夹(&amp;F)…</translation>
    </message>
    <message>
        <source>&amp;Send to other programs…</source>
        <translation>发送到其他程序(&amp;S)…</translation>
    </message>
    <message>
        <source>E&amp;xpressions…</source>
        <translation>表情(&amp;X)…</translation>
    </message>
    <message>
        <source>&amp;Gaze calibration…</source>
        <translation>视线校准(&amp;G)…</translation>
    </message>
    <message>
        <source>&amp;Mirrored view</source>
        <translation>镜像画面(&amp;M)</translation>
    </message>
    <message>
        <source>No landmarks</source>
        <translation>不显示关键点</translation>
    </message>
    <message>
        <source>Raw landmarks</source>
        <translation>原始关键点</translation>
    </message>
    <message>
        <source>Stabilized landmarks</source>
        <translation>稳定后的关键点</translation>
    </message>
    <message>
        <source>Both, compared</source>
        <translation>两者对比</translation>
    </message>
    <message>
        <source>Overlaid</source>
        <translation>重叠显示</translation>
    </message>
    <message>
        <source>Split by a movable line</source>
        <translation>以可拖动的分割线对比</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>并排显示</translation>
    </message>
    <message>
        <source>Move the dividing line left</source>
        <translation>分割线左移</translation>
    </message>
    <message>
        <source>Move the dividing line right</source>
        <translation>分割线右移</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>点</translation>
    </message>
    <message>
        <source>Contours</source>
        <translation>轮廓</translation>
    </message>
    <message>
        <source>Landmark numbers</source>
        <translation>关键点编号</translation>
    </message>
    <message>
        <source>Points coloured by score</source>
        <translation>按置信度为点着色</translation>
    </message>
    <message>
        <source>Trails of the last second, coloured by speed</source>
        <translation>最近一秒的轨迹，按速度着色</translation>
    </message>
    <message>
        <source>Face boxes</source>
        <translation>人脸框</translation>
    </message>
    <message>
        <source>Ids and scores of faces</source>
        <translation>人脸编号与置信度</translation>
    </message>
    <message>
        <source>Crop: the input of the network</source>
        <translation>裁剪区域：网络所见</translation>
    </message>
    <message>
        <source>&amp;Heatmaps along the crop&apos;s edges</source>
        <translation>裁剪区域边缘的热图(&amp;H)</translation>
    </message>
    <message>
        <source>&amp;Ground truth</source>
        <translation>真值(&amp;G)</translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation>放大</translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation>缩小</translation>
    </message>
    <message>
        <source>Fit to the window</source>
        <translation>适合窗口</translation>
    </message>
    <message>
        <source>Actual size, 1:1</source>
        <translation>实际大小，1:1</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>全屏</translation>
    </message>
    <message>
        <source>Thu&amp;mbnails in the timeline</source>
        <translation>时间轴中的缩略图(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts…</source>
        <translation>键盘快捷键(&amp;K)…</translation>
    </message>
    <message>
        <source>&amp;Manual</source>
        <translation>手册(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Glossary</source>
        <translation>术语表(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;How to cite…</source>
        <translation>如何引用(&amp;H)…</translation>
    </message>
    <message>
        <source>&amp;About Steadymark</source>
        <translation>关于 Steadymark(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Copy diagnostics</source>
        <translation>复制诊断信息(&amp;C)</translation>
    </message>
    <message>
        <source>Show the &amp;log file</source>
        <translation>显示日志文件(&amp;L)</translation>
    </message>
    <message>
        <source>Dismiss messages</source>
        <translation>关闭消息</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>撤销(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>重做(&amp;R)</translation>
    </message>
    <message>
        <source>Select the &amp;previous annotation</source>
        <translation>选择上一个标注(&amp;P)</translation>
    </message>
    <message>
        <source>Select the &amp;next annotation</source>
        <translation>选择下一个标注(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Edit annotation…</source>
        <translation>编辑标注(&amp;E)…</translation>
    </message>
    <message>
        <source>&amp;Delete annotation</source>
        <translation>删除标注(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;Start the annotation at this frame</source>
        <translation>标注从此帧开始(&amp;S)</translation>
    </message>
    <message>
        <source>End the annotation at this &amp;frame</source>
        <translation>标注到此帧结束(&amp;F)</translation>
    </message>
    <message>
        <source>Go to the start of the annotation</source>
        <translation>转到标注的开始</translation>
    </message>
    <message>
        <source>Go to the end of the annotation</source>
        <translation>转到标注的结束</translation>
    </message>
    <message>
        <source>&amp;Loop the annotation</source>
        <translation>循环播放标注(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Add a lane…</source>
        <translation>添加轨道(&amp;A)…</translation>
    </message>
    <message>
        <source>&amp;Import annotations…</source>
        <translation>导入标注(&amp;I)…</translation>
    </message>
    <message>
        <source>E&amp;xport annotations…</source>
        <translation>导出标注(&amp;X)…</translation>
    </message>
    <message>
        <source>&amp;Next doubtful stretch</source>
        <translation>下一个可疑片段(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Previous doubtful stretch</source>
        <translation>上一个可疑片段(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Accept the stretch, or open it again</source>
        <translation>接受片段，或重新待审(&amp;A)</translation>
    </message>
    <message>
        <source>E&amp;xclude the stretch, or include it again</source>
        <translation>排除片段，或取消排除(&amp;X)</translation>
    </message>
    <message>
        <source>Export doubtful &amp;stretches…</source>
        <translation>导出可疑片段(&amp;S)…</translation>
    </message>
    <message>
        <source>Export &amp;table with options…</source>
        <translation>按选项导出表格(&amp;T)…</translation>
    </message>
    <message>
        <source>R&amp;eport…</source>
        <translation>报告(&amp;E)…</translation>
    </message>
    <message>
        <source>Export statistics of &amp;intervals…</source>
        <translation>导出区间统计(&amp;A)…</translation>
    </message>
    <message>
        <source>Name the pe&amp;rson</source>
        <translation>为人物命名(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Merge the selected persons</source>
        <translation>合并所选人物(&amp;M)</translation>
    </message>
    <message>
        <source>New person from this &amp;frame on</source>
        <translation>从此帧起为新人物(&amp;F)</translation>
    </message>
    <message>
        <source>S&amp;wap two persons from this frame on</source>
        <translation>从此帧起互换两个人物(&amp;W)</translation>
    </message>
    <message>
        <source>Face is ne&amp;utral in this frame</source>
        <translation>此帧为中性表情(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Correct landmarks</source>
        <translation>校正关键点(&amp;C)</translation>
    </message>
    <message>
        <source>Go to the &amp;previous corrected frame</source>
        <translation>转到上一个校正过的帧(&amp;P)</translation>
    </message>
    <message>
        <source>Go to the &amp;next corrected frame</source>
        <translation>转到下一个校正过的帧(&amp;N)</translation>
    </message>
    <message>
        <source>Re&amp;move the correction of this frame</source>
        <translation>移除此帧的校正(&amp;M)</translation>
    </message>
    <message>
        <source>Track again from t&amp;his frame</source>
        <translation>从此帧重新跟踪(&amp;H)</translation>
    </message>
    <message>
        <source>Save corrected frames as ground truth…</source>
        <translation>将校正过的帧保存为真值…</translation>
    </message>
    <message>
        <source>Save this frame as ground truth…</source>
        <translation>将此帧保存为真值…</translation>
    </message>
</context>
<context>
    <name>dropping</name>
    <message>
        <source>{name} looks like ground truth: open its recording first, then drop it again.</source>
        <translation>{name} 似乎是真值：请先打开对应的录像，再将其拖入。</translation>
    </message>
    <message>
        <source>Track and export all {count}…</source>
        <translation>跟踪并导出全部 {count} 个…</translation>
    </message>
    <message>
        <source>One recording is shown at a time: the first one was opened.</source>
        <translation>一次只显示一个录像：已打开第一个。</translation>
    </message>
    <message>
        <source>{name} is compared as ground truth.</source>
        <translation>{name} 作为真值进行比较。</translation>
    </message>
    <message>
        <source>Show its landmarks instead</source>
        <translation>改为显示其关键点</translation>
    </message>
</context>
<context>
    <name>errors</name>
    <message>
        <source>NRMSE, %</source>
        <translation>NRMSE，%</translation>
    </message>
    <message>
        <source>median, %</source>
        <translation>中位数，%</translation>
    </message>
</context>
<context>
    <name>expressions</name>
    <message>
        <source>Eyes</source>
        <translation>眼睛</translation>
    </message>
    <message>
        <source>Brows</source>
        <translation>眉毛</translation>
    </message>
    <message>
        <source>Jaw</source>
        <translation>下颌</translation>
    </message>
    <message>
        <source>Mouth</source>
        <translation>嘴</translation>
    </message>
    <message>
        <source>Cheeks and nose</source>
        <translation>脸颊和鼻子</translation>
    </message>
    <message>
        <source>Tongue</source>
        <translation>舌头</translation>
    </message>
    <message>
        <source>Expressions</source>
        <translation>表情</translation>
    </message>
    <message>
        <source>{name}: landmarks do not show it, so that it is 0</source>
        <translation>{name}：关键点无法反映，因此为 0</translation>
    </message>
</context>
<context>
    <name>first_hint</name>
    <message>
        <source>See what stabilization does: {raw} shows raw landmarks, {stabilized} stabilized ones, {both} both. &apos;Statistics&apos; measures how stable they are; {keys} lists all shortcuts.</source>
        <translation>看看稳定化的效果：{raw} 显示原始关键点，{stabilized} 显示稳定后的关键点，{both} 同时显示两者。数值面板说明它们有多稳定；{keys} 列出所有快捷键。</translation>
    </message>
</context>
<context>
    <name>hovering</name>
    <message>
        <source>&lt;b&gt;{number} {name}&lt;/b&gt;&lt;br&gt;x {x}, y {y}, {kind}&lt;br&gt;score {score}, face {face}</source>
        <translation>&lt;b&gt;{number} {name}&lt;/b&gt;&lt;br&gt;x {x}，y {y}，{kind}&lt;br&gt;置信度 {score}，人脸 {face}</translation>
    </message>
</context>
<context>
    <name>lanes</name>
    <message>
        <source>{key} is the key of &apos;{command}&apos;: choose another key for the lane.</source>
        <translation>{key} 是“{command}”的按键：请为轨道选择其他按键。</translation>
    </message>
    <message>
        <source>Everybody</source>
        <translation>所有人</translation>
    </message>
    <message>
        <source>Face {number}</source>
        <translation>人脸 {number}</translation>
    </message>
    <message>
        <source>{name} (face {number})</source>
        <translation>{name}（人脸 {number}）</translation>
    </message>
    <message>
        <source>{start} to {end} ({length})</source>
        <translation>{start} 至 {end}（{length}）</translation>
    </message>
</context>
<context>
    <name>menus</name>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>编辑(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Playback</source>
        <translation>播放(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Tracking</source>
        <translation>跟踪(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Annotate</source>
        <translation>标注(&amp;A)</translation>
    </message>
    <message>
        <source>L&amp;ive</source>
        <translation>实时(&amp;I)</translation>
    </message>
    <message>
        <source>&amp;Landmarks</source>
        <translation>关键点(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Review</source>
        <translation>审阅(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>Toolbar</source>
        <translation>工具栏</translation>
    </message>
    <message>
        <source>Landmarks</source>
        <translation>关键点</translation>
    </message>
    <message>
        <source>What is drawn over the image</source>
        <translation>画面上叠加的内容</translation>
    </message>
    <message>
        <source>Overlays</source>
        <translation>叠加层</translation>
    </message>
    <message>
        <source>Start the loop here</source>
        <translation>从此处开始循环</translation>
    </message>
    <message>
        <source>End the loop here</source>
        <translation>在此处结束循环</translation>
    </message>
    <message>
        <source>Loop the shown part</source>
        <translation>循环播放显示的部分</translation>
    </message>
    <message>
        <source>Remove the loop</source>
        <translation>移除循环</translation>
    </message>
    <message>
        <source>Show the whole recording</source>
        <translation>显示整个录像</translation>
    </message>
    <message>
        <source>Copy the values as CSV</source>
        <translation>将数值复制为 CSV</translation>
    </message>
    <message>
        <source>Copy the plots as an image</source>
        <translation>将图表复制为图像</translation>
    </message>
    <message>
        <source>Copy the figures as text</source>
        <translation>以文本复制数值</translation>
    </message>
    <message>
        <source>Copy the figures as CSV</source>
        <translation>以 CSV 复制数值</translation>
    </message>
    <message>
        <source>Start or end an in&amp;terval</source>
        <translation>开始或结束区间(&amp;T)</translation>
    </message>
    <message>
        <source>Mark an e&amp;vent</source>
        <translation>标记事件(&amp;V)</translation>
    </message>
    <message>
        <source>Lanes</source>
        <translation>轨道</translation>
    </message>
    <message>
        <source>Name, colour and &amp;key of the lane…</source>
        <translation>轨道的名称、颜色和按键(&amp;K)…</translation>
    </message>
    <message>
        <source>&amp;Remove the lane</source>
        <translation>移除轨道(&amp;R)</translation>
    </message>
    <message>
        <source>This lane stays, since exports leave out what is in it.</source>
        <translation>此轨道会保留，因为导出时会略去其中的内容。</translation>
    </message>
    <message>
        <source>End the &amp;interval here</source>
        <translation>在此处结束区间(&amp;I)</translation>
    </message>
    <message>
        <source>Start an &amp;interval here</source>
        <translation>从此处开始区间(&amp;I)</translation>
    </message>
    <message>
        <source>Mark an e&amp;vent here</source>
        <translation>在此处标记事件(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;History</source>
        <translation>历史(&amp;H)</translation>
    </message>
</context>
<context>
    <name>names</name>
    <message>
        <source>jaw</source>
        <translation>下颌</translation>
    </message>
    <message>
        <source>right brow</source>
        <translation>右眉</translation>
    </message>
    <message>
        <source>left brow</source>
        <translation>左眉</translation>
    </message>
    <message>
        <source>nose bridge</source>
        <translation>鼻梁</translation>
    </message>
    <message>
        <source>nose base</source>
        <translation>鼻底</translation>
    </message>
    <message>
        <source>right eye</source>
        <translation>右眼</translation>
    </message>
    <message>
        <source>left eye</source>
        <translation>左眼</translation>
    </message>
    <message>
        <source>outer lip</source>
        <translation>外唇</translation>
    </message>
    <message>
        <source>inner lip</source>
        <translation>内唇</translation>
    </message>
    <message>
        <source>chin</source>
        <translation>下巴尖</translation>
    </message>
    <message>
        <source>nose tip</source>
        <translation>鼻尖</translation>
    </message>
    <message>
        <source>below the nose</source>
        <translation>鼻下点</translation>
    </message>
    <message>
        <source>right eye, outer corner</source>
        <translation>右眼外眼角</translation>
    </message>
    <message>
        <source>right eye, inner corner</source>
        <translation>右眼内眼角</translation>
    </message>
    <message>
        <source>left eye, inner corner</source>
        <translation>左眼内眼角</translation>
    </message>
    <message>
        <source>left eye, outer corner</source>
        <translation>左眼外眼角</translation>
    </message>
    <message>
        <source>right corner of the mouth</source>
        <translation>右嘴角</translation>
    </message>
    <message>
        <source>left corner of the mouth</source>
        <translation>左嘴角</translation>
    </message>
    <message>
        <source>whole face</source>
        <translation>整张脸</translation>
    </message>
    <message>
        <source>contour</source>
        <translation>轮廓</translation>
    </message>
    <message>
        <source>brows</source>
        <translation>眉毛</translation>
    </message>
    <message>
        <source>nose</source>
        <translation>鼻子</translation>
    </message>
    <message>
        <source>eyes</source>
        <translation>眼睛</translation>
    </message>
    <message>
        <source>mouth</source>
        <translation>嘴</translation>
    </message>
    <message>
        <source>raw</source>
        <translation>原始</translation>
    </message>
    <message>
        <source>stabilized</source>
        <translation>稳定后</translation>
    </message>
    <message>
        <source>A table…</source>
        <translation>表格…</translation>
    </message>
</context>
<context>
    <name>presets</name>
    <message>
        <source>Most stable</source>
        <translation>最稳定</translation>
    </message>
    <message>
        <source>A network stabilizes the landmarks with almost no lag.</source>
        <translation>由网络稳定关键点，几乎没有延迟。</translation>
    </message>
    <message>
        <source>Raw, lowest latency</source>
        <translation>原始，延迟最低</translation>
    </message>
    <message>
        <source>The landmarks of the network, unchanged, in half the time per face.</source>
        <translation>直接输出检测到的点，每张人脸耗时减半。</translation>
    </message>
    <message>
        <source>Light filter</source>
        <translation>轻度滤波</translation>
    </message>
    <message>
        <source>Stable at rest, and little lag when the face moves.</source>
        <translation>静止时稳定，人脸运动时反应迅速。</translation>
    </message>
    <message>
        <source>Smooth recording</source>
        <translation>平滑录像</translation>
    </message>
    <message>
        <source>A filter without lag that needs the whole recording.</source>
        <translation>无延迟的滤波器，需要整段录像。</translation>
    </message>
    <message>
        <source>Several faces</source>
        <translation>多张人脸</translation>
    </message>
    <message>
        <source>Up to six faces, each stabilized by a network.</source>
        <translation>最多六张人脸，每张都由网络稳定。</translation>
    </message>
</context>
<context>
    <name>sending</name>
    <message>
        <source>off</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>starts with the live view</source>
        <translation>随实时画面开始</translation>
    </message>
    <message>
        <source>opening…</source>
        <translation>正在打开…</translation>
    </message>
    <message>
        <source>failed, see the message</source>
        <translation>无法发送，见提示信息</translation>
    </message>
    <message>
        <source>{rate} packets/s</source>
        <translation>{rate} 包/秒</translation>
    </message>
    <message>
        <source>{count} dropped</source>
        <translation>跳过 {count}</translation>
    </message>
    <message>
        <source>no receiver</source>
        <translation>对方无人接收</translation>
    </message>
    <message>
        <source>{name}: no receiver</source>
        <translation>{name}：无人接收</translation>
    </message>
    <message>
        <source>{rate}/s {name}</source>
        <translation>{rate}/秒 {name}</translation>
    </message>
</context>
<context>
    <name>sentences</name>
    <message>
        <source>&apos;tracker.look_every&apos; must be from 1 to {most}</source>
        <translation>“tracker.look_every”须为 1 到 {most}</translation>
    </message>
    <message>
        <source>&apos;tracker.max_faces&apos; must be from 1 to {most}</source>
        <translation>“tracker.max_faces”须为 1 到 {most}</translation>
    </message>
    <message>
        <source>&apos;{key}&apos; is unknown, or its value is not valid</source>
        <translation>“{key}”未知，或其值无效</translation>
    </message>
    <message>
        <source>&apos;{model_file}&apos; is not a YuNet model that OpenCV can run: give a face_detection_yunet file</source>
        <translation>“{model_file}”不是 OpenCV 能够运行的 YuNet 模型：请指定一个 face_detection_yunet 文件</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is the name of a shipped model: choose another name</source>
        <translation>“{name}”是 Steadymark 自带的：请换一个名称</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is the name of a shipped preset: choose another name.</source>
        <translation>“{name}”是程序自带的预设：请选择其他名称。</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is a {kind} model: only landmark models can be added</source>
        <translation>“{name}”是 {kind} 类型的模型：只能添加关键点模型</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is not a valid name for a model: use letters, digits, &apos;-&apos;, &apos;_&apos; and &apos;.&apos;</source>
        <translation>“{name}”不能用作模型名称：请使用字母、数字、“-”、“_”和“.”</translation>
    </message>
    <message>
        <source>&apos;{place}&apos; is not an address to send to: write HOST:PORT, for example {example}, with a port from 1 to 65535</source>
        <translation>无法向“{place}”发送：请写成“主机:端口”，例如 {example}，端口为 1 到 65535</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; matches several cameras: choose one by its number; found: {known}</source>
        <translation>“{text}”与多个摄像头匹配：请用编号选择；已找到：{known}</translation>
    </message>
    <message>
        <source>camera &apos;{text}&apos; was not found: choose one by its number; found: {known}</source>
        <translation>这里没有名为“{text}”的摄像头：请用编号选择；已找到：{known}</translation>
    </message>
    <message>
        <source>--landmarks lacks the outer eye corners {right} and {left}; every error is divided by their distance: say which landmarks of the ground truth they are</source>
        <translation>--landmarks 缺少外眼角 {right} 和 {left}，所有误差都要除以两者的间距：请说明它们对应真值的哪些关键点</translation>
    </message>
    <message>
        <source>--landmarks names landmark {landmark}, but {name} has 0 to {last}</source>
        <translation>--landmarks 指定了关键点 {landmark}，但 {name} 只有 0 到 {last}</translation>
    </message>
    <message>
        <source>--send sends each frame as soon as it is tracked</source>
        <translation>--send 会在每一帧到来时立即发送</translation>
    </message>
    <message>
        <source>--video draws each frame as soon as it is tracked</source>
        <translation>--video 会在每一帧到来时立即绘制</translation>
    </message>
    <message>
        <source>1 damaged frame near {time} was kept as the decoder repaired it</source>
        <translation>{time} 附近有 1 帧损坏，已修复保留</translation>
    </message>
    <message>
        <source>1 damaged frame was skipped near {time}</source>
        <translation>{time} 附近有 1 帧损坏，已跳过</translation>
    </message>
    <message>
        <source>1 packet is damaged</source>
        <translation>1 个数据包已损坏</translation>
    </message>
    <message>
        <source>A low-pass filter of the landmarks, whose cut-off frequency rises with their speed.</source>
        <translation>关键点的低通滤波器，截止频率随其速度上升。</translation>
    </message>
    <message>
        <source>A low-pass filter without lag, which needs the whole recording.</source>
        <translation>无延迟的低通滤波器，需要完整的录像。</translation>
    </message>
    <message>
        <source>A preset&apos;s name has 1 to {most} characters.</source>
        <translation>预设名称须为 1 到 {most} 个字符。</translation>
    </message>
    <message>
        <source>CUDA was requested, but {why}: install NVIDIA&apos;s driver and &apos;pip install steadymark[cuda]&apos;, or use --device cpu</source>
        <translation>要求使用 CUDA，但{why}：请安装 NVIDIA 驱动并运行“pip install steadymark[cuda]”，或将设备设为 CPU</translation>
    </message>
    <message>
        <source>Its landmarks hardly tell whether there is a face: tracking may continue after a face has left.</source>
        <translation>很难从其特征点判断是否有人脸：人脸离开后跟踪可能仍会继续。</translation>
    </message>
    <message>
        <source>Its landmarks hardly follow the face: where the crop moves, they compensate {percent:.0f} % of the motion.</source>
        <translation>其特征点几乎不跟随人脸：裁剪框移动时，它们只补偿了其中的 {percent:.0f} %。</translation>
    </message>
    <message>
        <source>MediaPipe cannot use &apos;{model_file}&apos;: {error}</source>
        <translation>MediaPipe 无法使用“{model_file}”：{error}</translation>
    </message>
    <message>
        <source>MediaPipe is not installed: &apos;pip install steadymark[mediapipe]&apos;, or use the built-in detector</source>
        <translation>未安装 MediaPipe：请运行“pip install steadymark[mediapipe]”，或使用内置检测器</translation>
    </message>
    <message>
        <source>Its error on the demo clip is {percent:.1f} % of the inter-ocular distance ({usable:.0f} % are usable): check its output, schema, mean, std and colour order</source>
        <translation>在演示视频上误差为眼距的 {percent:.1f} %（不超过 {usable:.0f} % 才可用）：输出、编号方案、均值、标准差和颜色顺序是否正确？</translation>
    </message>
    <message>
        <source>The ground truth of {name} cannot be read: {why}</source>
        <translation>无法读取 {name} 的真值：{why}</translation>
    </message>
    <message>
        <source>The model was not added: {fault}</source>
        <translation>模型未添加：{fault}</translation>
    </message>
    <message>
        <source>The preset cannot be saved in {path}: {why}</source>
        <translation>预设无法保存到 {path}：{why}</translation>
    </message>
    <message>
        <source>The preset {path} cannot be deleted: {why}</source>
        <translation>无法删除预设 {path}：{why}</translation>
    </message>
    <message>
        <source>The stream has ended.</source>
        <translation>网络流已结束。</translation>
    </message>
    <message>
        <source>Tracking continues, but the results are not protected against a crash: {error}</source>
        <translation>跟踪继续进行，但无法防崩溃保存：{error}</translation>
    </message>
    <message>
        <source>The results are not protected against a crash: {folder} cannot be written ({why})</source>
        <translation>跟踪结果无法防崩溃保存：{folder} 不可写入（{why}）</translation>
    </message>
    <message>
        <source>a frame rate of {fps} is not possible: give frames per second</source>
        <translation>帧率 {fps} 无意义：请给出每秒帧数</translation>
    </message>
    <message>
        <source>a live source has no future frames</source>
        <translation>实时来源还没有这些帧</translation>
    </message>
    <message>
        <source>a number is too long</source>
        <translation>某个数字过长</translation>
    </message>
    <message>
        <source>a start or end of {given} s is not possible: give seconds, 0 or more</source>
        <translation>起点或终点 {given} 秒无意义：请给出从 0 起的秒数</translation>
    </message>
    <message>
        <source>about 1 frame seems to be missing at {time}</source>
        <translation>{time} 处似乎缺少约 1 帧</translation>
    </message>
    <message>
        <source>about {count} frames seem to be missing, the first ones at {time}</source>
        <translation>似乎缺少约 {count} 帧，最早在 {time}</translation>
    </message>
    <message>
        <source>an OpenSeeFace packet has a &apos;success&apos; that is neither 0 nor 1</source>
        <translation>OpenSeeFace 数据包的“success”既不是 0 也不是 1</translation>
    </message>
    <message>
        <source>an OpenSeeFace packet has a &apos;{name}&apos; that is no number</source>
        <translation>OpenSeeFace 数据包的“{name}”不是数字</translation>
    </message>
    <message>
        <source>an OpenSeeFace packet has {itemsize} bytes a face, not {given} bytes</source>
        <translation>OpenSeeFace 数据包每张人脸为 {itemsize} 字节，而不是 {given} 字节</translation>
    </message>
    <message>
        <source>an image sequence needs at least one image</source>
        <translation>图像序列至少需要一张图片</translation>
    </message>
    <message>
        <source>and {count} more places</source>
        <translation>以及另外 {count} 处</translation>
    </message>
    <message>
        <source>requested {asked} at {fps:g} frames per second, the camera delivers {given}</source>
        <translation>要求 {asked}、每秒 {fps:g} 帧，摄像头实际提供 {given}</translation>
    </message>
    <message>
        <source>requested {asked} at {fps:g} frames per second, the camera delivers {given} at {given_fps:g}</source>
        <translation>要求 {asked}、每秒 {fps:g} 帧，摄像头实际提供 {given}、每秒 {given_fps:g} 帧</translation>
    </message>
    <message>
        <source>camera {device} cannot be opened: check that it is connected, that no other program uses it, and that this program may use cameras</source>
        <translation>无法打开摄像头 {device}：请检查它是否已连接、是否被其他程序占用，以及本程序是否有权使用摄像头</translation>
    </message>
    <message>
        <source>camera {device} opens but delivers no frames: close other programs that use it, or disconnect it and connect it again</source>
        <translation>摄像头 {device} 可以打开，但没有画面：请关闭正在使用它的其他程序，或将其拔下后重新连接</translation>
    </message>
    <message>
        <source>camera {number}</source>
        <translation>摄像头 {number}</translation>
    </message>
    <message>
        <source>camera: needs a number or a name, for example camera:0</source>
        <translation>camera: 后面需要编号或名称，例如 camera:0</translation>
    </message>
    <message>
        <source>cameras cannot be listed ({fault})</source>
        <translation>无法列出摄像头（{fault}）</translation>
    </message>
    <message>
        <source>cannot be opened ({reason}): check the address and the network</source>
        <translation>无法打开（{reason}）：请检查地址和网络</translation>
    </message>
    <message>
        <source>cannot read {path}: {error}</source>
        <translation>无法读取 {path}：{error}</translation>
    </message>
    <message>
        <source>cannot write {path}: it is not open</source>
        <translation>无法写入 {path}：文件未打开</translation>
    </message>
    <message>
        <source>cannot write {path}: {reason}</source>
        <translation>无法写入 {path}：{reason}</translation>
    </message>
    <message>
        <source>closing {path} failed: {error}</source>
        <translation>关闭 {path} 失败：{error}</translation>
    </message>
    <message>
        <source>column &apos;{name}&apos; is missing</source>
        <translation>缺少列“{name}”</translation>
    </message>
    <message>
        <source>column &apos;{name}&apos; appears {count} times</source>
        <translation>列“{name}”出现了 {count} 次</translation>
    </message>
    <message>
        <source>column &apos;{name}&apos;: &apos;{given}&apos; is not a state ({states})</source>
        <translation>列“{name}”：“{given}”不是有效状态（{states}）</translation>
    </message>
    <message>
        <source>column &apos;{name}&apos;: &apos;{given}&apos; is not a number</source>
        <translation>列“{name}”：“{given}”不是数字</translation>
    </message>
    <message>
        <source>does not answer in time: check the address and the network</source>
        <translation>未及时响应：请检查地址和网络</translation>
    </message>
    <message>
        <source>ending the tracking of {name} failed: {error}</source>
        <translation>结束对 {name} 的跟踪时失败：{error}</translation>
    </message>
    <message>
        <source>exit code {code}</source>
        <translation>退出代码 {code}</translation>
    </message>
    <message>
        <source>file &apos;{file}&apos; lies outside the card&apos;s folder</source>
        <translation>文件“{file}”位于模型卡所在文件夹之外</translation>
    </message>
    <message>
        <source>files in {folder} that are neither videos nor images by their names: {shown}</source>
        <translation>{folder} 中从文件名看既不是视频也不是图像的文件：{shown}</translation>
    </message>
    <message>
        <source>access denied: check user and password</source>
        <translation>拒绝访问：请检查用户名和密码</translation>
    </message>
    <message>
        <source>frame {index} at {pts_s:.3f} s could not be tracked ({kind}: {error}); earlier results are kept</source>
        <translation>第 {index} 帧（{pts_s:.3f} 秒）无法跟踪（{kind}: {error}）；此前的结果已保留</translation>
    </message>
    <message>
        <source>frame {index} cannot be shown ({fault})</source>
        <translation>第 {index} 帧无法显示（{fault}）</translation>
    </message>
    <message>
        <source>graphs are nested without end</source>
        <translation>计算图无限嵌套</translation>
    </message>
    <message>
        <source>there is nothing at this address: check the part after the host</source>
        <translation>在该地址没有内容：请检查主机名之后的部分</translation>
    </message>
    <message>
        <source>it is not known how its results were computed: tracked again</source>
        <translation>不清楚其结果是如何得到的：已重新跟踪</translation>
    </message>
    <message>
        <source>it ends at {time} instead of {end}: it may be truncated</source>
        <translation>视频在 {time} 结束，而不是 {end}：可能被截断</translation>
    </message>
    <message>
        <source>it has no settings</source>
        <translation>没有设置</translation>
    </message>
    <message>
        <source>it is truncated</source>
        <translation>内容被截断</translation>
    </message>
    <message>
        <source>it is larger than {most_mib} MiB</source>
        <translation>大于 {most_mib} MiB</translation>
    </message>
    <message>
        <source>it is not a results index</source>
        <translation>不是结果索引</translation>
    </message>
    <message>
        <source>it is too large</source>
        <translation>文件过大</translation>
    </message>
    <message>
        <source>it lacks &apos;{name}&apos;: 1</source>
        <translation>缺少 &apos;{name}&apos;: 1</translation>
    </message>
    <message>
        <source>{key} is {value:g}, which must be between 0 and {most:g}</source>
        <translation>其中 {key} 为 {value:g}，须在 0 到 {most:g} 之间</translation>
    </message>
    <message>
        <source>tracking was interrupted before, and starts again from the beginning</source>
        <translation>上次被中断，现从头重新跟踪</translation>
    </message>
    <message>
        <source>its driver or libraries cannot be loaded</source>
        <translation>其驱动或库无法加载</translation>
    </message>
    <message>
        <source>its face_score is {value}</source>
        <translation>其 face_score 为 {value}</translation>
    </message>
    <message>
        <source>a file has the name of its folder: choose another folder</source>
        <translation>其文件夹是一个文件：请选择其他文件夹</translation>
    </message>
    <message>
        <source>its high dynamic range ({name}) is mapped to 8 bits</source>
        <translation>高动态范围（{name}）被映射为 8 位</translation>
    </message>
    <message>
        <source>its name is missing or too long</source>
        <translation>缺少名称，或名称过长</translation>
    </message>
    <message>
        <source>killed by signal {number}</source>
        <translation>被信号 {number} 终止</translation>
    </message>
    <message>
        <source>line 1: this program reads format {format}, not format &apos;{version}&apos;: use a newer Steadymark</source>
        <translation>第 1 行：格式“{version}”不是格式 {format}：请用更新版本的 Steadymark 读取</translation>
    </message>
    <message>
        <source>line 1: the file is empty or starts with an empty line</source>
        <translation>第 1 行：文件为空，或以空行开头</translation>
    </message>
    <message>
        <source>line 2: the header is not a JSON object</source>
        <translation>第 2 行：文件头不是 JSON 对象</translation>
    </message>
    <message>
        <source>line {number}, {fault}</source>
        <translation>第 {number} 行，{fault}</translation>
    </message>
    <message>
        <source>line {number} is longer than any row can be</source>
        <translation>第 {number} 行：超过了行的最大长度</translation>
    </message>
    <message>
        <source>line {number} has {count} fields, but there are {columns} columns</source>
        <translation>第 {number} 行：{count} 个字段，但有 {columns} 列</translation>
    </message>
    <message>
        <source>line {number}: {fault}</source>
        <translation>第 {number} 行：{fault}</translation>
    </message>
    <message>
        <source>margin must be between 0.5 and 5, not {margin:g}</source>
        <translation>margin 必须在 0.5 到 5 之间，而不是 {margin:g}</translation>
    </message>
    <message>
        <source>max faces must be at least 1, not {max_faces}</source>
        <translation>最多人脸数至少为 1，而不是 {max_faces}</translation>
    </message>
    <message>
        <source>mean must be finite, not {mean}</source>
        <translation>mean 必须是有限数，而不是 {mean}</translation>
    </message>
    <message>
        <source>there are no .pts files in {folder}: name the folder of a video&apos;s ground truth</source>
        <translation>{folder} 中没有 .pts 文件：请选择视频真值所在的文件夹</translation>
    </message>
    <message>
        <source>there is no MediaPipe model file at &apos;{model_file}&apos;: give one as mediapipe:FILE.tflite</source>
        <translation>“{model_file}”处没有 MediaPipe 模型文件：请写成 mediapipe:FILE.tflite</translation>
    </message>
    <message>
        <source>there is no YuNet model file at &apos;{model_file}&apos;: give one as yunet:FILE.onnx</source>
        <translation>“{model_file}”处没有 YuNet 模型文件：请以 yunet:FILE.onnx 的形式指定</translation>
    </message>
    <message>
        <source>there is no input: give a video, a folder, a pattern, camera:0 or an address</source>
        <translation>没有输入：请给出视频、文件夹、通配符、camera:0 或地址</translation>
    </message>
    <message>
        <source>no model</source>
        <translation>没有模型</translation>
    </message>
    <message>
        <source>no permission to write there: choose another folder</source>
        <translation>没有写入权限：请选择其他文件夹</translation>
    </message>
    <message>
        <source>there are no weights at {path} ({reason}): install Steadymark again, or restore the file</source>
        <translation>{path} 处没有权重（{reason}）：请重新安装 Steadymark，或将文件放回原处</translation>
    </message>
    <message>
        <source>there was no receiver at the end</source>
        <translation>结束时无人接收</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>无</translation>
    </message>
    <message>
        <source>nothing can be sent to {target} ({reason}): choose an address of this network</source>
        <translation>无法向 {target} 发送（{reason}）：请选择本网络中的地址</translation>
    </message>
    <message>
        <source>nothing can be sent to {target}: the host &apos;{host}&apos; is unknown; check its name, or give its number (192.168.1.5)</source>
        <translation>无法向 {target} 发送：找不到主机“{host}”；请检查名称，或输入其 IP 地址（192.168.1.5）</translation>
    </message>
    <message>
        <source>nothing matches {path}: check the pattern and the folder</source>
        <translation>没有与 {path} 匹配的内容：请检查通配符和文件夹</translation>
    </message>
    <message>
        <source>opening failed ({fault})</source>
        <translation>打开失败（{fault}）</translation>
    </message>
    <message>
        <source>the images have no timestamps: they are taken as one sequence with {fps:g} frames per second; if they show different people, track them with &apos;steadymark track --independent&apos;</source>
        <translation>图像没有时间戳：按每秒 {fps:g} 帧的一个序列处理；如果它们是不同的人，请使用“steadymark track --independent”跟踪</translation>
    </message>
    <message>
        <source>pixels with the aspect ratio {aspect} are made square</source>
        <translation>{aspect} 的像素已转换为方形像素</translation>
    </message>
    <message>
        <source>reading {name} failed: {error}</source>
        <translation>读取 {name} 失败：{error}</translation>
    </message>
    <message>
        <source>the connection was refused: check the port, and that the camera is running</source>
        <translation>拒绝连接：请检查端口以及对方是否在运行</translation>
    </message>
    <message>
        <source>rows are too short</source>
        <translation>行过短</translation>
    </message>
    <message>
        <source>sending to {target} ended ({kind}: {error}); tracking continues</source>
        <translation>向 {target} 的发送已中断（{kind}: {error}）；跟踪继续进行</translation>
    </message>
    <message>
        <source>it sends no video: check the address</source>
        <translation>没有发送视频：请检查地址</translation>
    </message>
    <message>
        <source>it was tracked with other settings or models: tracked again</source>
        <translation>设置或模型与上次跟踪时不同：已重新跟踪</translation>
    </message>
    <message>
        <source>std must be more than 0, not {std}</source>
        <translation>std 必须大于 0，而不是 {std}</translation>
    </message>
    <message>
        <source>the installed LSL library is too old to stay on this computer: pip install --upgrade &apos;steadymark[network]&apos;</source>
        <translation>此处的 LSL 库过旧，无法仅限本机：pip install --upgrade &apos;steadymark[network]&apos;</translation>
    </message>
    <message>
        <source>the camera cannot be opened ({fault})</source>
        <translation>无法打开摄像头（{fault}）</translation>
    </message>
    <message>
        <source>the disk is full: free some space and record again</source>
        <translation>磁盘已满：请释放空间后重新录制</translation>
    </message>
    <message>
        <source>the disk is read-only: choose another folder</source>
        <translation>磁盘为只读：请选择其他文件夹</translation>
    </message>
    <message>
        <source>the disk quota is used up: free some space and record again</source>
        <translation>磁盘配额已用完：请释放空间后重新录制</translation>
    </message>
    <message>
        <source>the export failed ({fault})</source>
        <translation>导出失败（{fault}）</translation>
    </message>
    <message>
        <source>the file has no timestamps: {fps:g} frames per second are assumed</source>
        <translation>文件不带时间戳：按每秒 {fps:g} 帧处理</translation>
    </message>
    <message>
        <source>the file has changed since it was tracked: tracked again</source>
        <translation>文件自上次跟踪后已更改：已重新跟踪</translation>
    </message>
    <message>
        <source>the focal length must be 1 pixel or more, not {focal_px:g}</source>
        <translation>焦距须不小于 1 像素，而不是 {focal_px:g}</translation>
    </message>
    <message>
        <source>the folder does not exist: create it or choose another</source>
        <translation>文件夹不存在：请创建，或选择其他文件夹</translation>
    </message>
    <message>
        <source>the heatmaps cannot be computed ({fault})</source>
        <translation>无法获得热图（{fault}）</translation>
    </message>
    <message>
        <source>the input &apos;crops&apos; of {name} is {type} {shape}: its card says crop {side}, so it must be tensor(uint8) [n, 3, {side}, {side}] or [n, {side}, {side}, 3]</source>
        <translation>{name} 的输入“crops”为 {type} {shape}：其模型卡中 crop 为 {side}，因此须为 tensor(uint8) [n, 3, {side}, {side}] 或 [n, {side}, {side}, 3]</translation>
    </message>
    <message>
        <source>the input of the model is {type}: it must be float, float16 or uint8</source>
        <translation>模型的输入为 {type}：必须是 float、float16 或 uint8</translation>
    </message>
    <message>
        <source>the input of {name} is {side} pixels wide: it must be between {least} and {most}</source>
        <translation>{name} 的输入宽 {side} 像素：必须在 {least} 到 {most} 之间</translation>
    </message>
    <message>
        <source>the input of {name} is {type}: it must be float, float16 or uint8</source>
        <translation>{name} 的输入为 {type}：必须是 float、float16 或 uint8</translation>
    </message>
    <message>
        <source>the landmarks of &apos;{name}&apos; have the schema {schema}, whose mean shape is not known: models of {known} can track</source>
        <translation>“{name}”的特征点属于 {schema}，其平均形状未知：可用于跟踪的模型属于 {known}</translation>
    </message>
    <message>
        <source>the model &apos;{name}&apos; has no 1D heatmaps to show</source>
        <translation>模型“{name}”没有可显示的一维热图</translation>
    </message>
    <message>
        <source>the model &apos;{name}&apos; is a {kind} model, but {wanted} is needed</source>
        <translation>模型“{name}”是 {kind} 类型，需要 {wanted}</translation>
    </message>
    <message>
        <source>the model card of &apos;{name}&apos; says {field} {value:g}: it must be between {least:g} and {most:g}</source>
        <translation>“{name}”的模型卡中 {field} 为 {value:g}：须在 {least:g} 到 {most:g} 之间</translation>
    </message>
    <message>
        <source>the model card {beside} belongs to {name}, not to {wanted}</source>
        <translation>模型卡 {beside} 属于 {name}，而不是 {wanted}</translation>
    </message>
    <message>
        <source>the model card {path} cannot be read: {reason}</source>
        <translation>无法读取模型卡 {path}：{reason}</translation>
    </message>
    <message>
        <source>the model uses ONNX operators of version {found}: export it again with opset {oldest} or newer</source>
        <translation>该模型使用版本 {found} 的 ONNX 算子：请用 opset {oldest} 或更新版本重新导出</translation>
    </message>
    <message>
        <source>the name is too long: choose a shorter one</source>
        <translation>名称过长：请选择较短的名称</translation>
    </message>
    <message>
        <source>the name of an LSL stream has at most 200 letters, all printable</source>
        <translation>LSL 流的名称最多 200 个字符，且均须可显示</translation>
    </message>
    <message>
        <source>the name {start}… is too long ({count} bytes): a file name may have 255 bytes</source>
        <translation>名称 {start}… 过长（{count} 字节）：文件名最多 255 字节</translation>
    </message>
    <message>
        <source>the output &apos;{name}&apos; of {model} is not finite</source>
        <translation>{model} 的输出“{name}”不是有限值</translation>
    </message>
    <message>
        <source>the output &apos;{name}&apos; of {model} is {dtype} {shape}: for two faces it must be float32 {wanted}</source>
        <translation>{model} 的输出“{name}”为 {dtype} {shape}：对于两张人脸须为 float32 {wanted}</translation>
    </message>
    <message>
        <source>the output folder {folder} cannot be created ({reason}): choose another one with --out</source>
        <translation>无法创建输出文件夹 {folder}（{reason}）：请选择其他文件夹</translation>
    </message>
    <message>
        <source>the camera delivers frames again at {time}</source>
        <translation>画面在 {time} 恢复</translation>
    </message>
    <message>
        <source>the frame size changes from {before} to {size} at {time}</source>
        <translation>画面在 {time} 从 {before} 变为 {size}</translation>
    </message>
    <message>
        <source>the camera delivered no more frames at {time}</source>
        <translation>画面在 {time} 丢失</translation>
    </message>
    <message>
        <source>the frames are rotated upright, as the file says</source>
        <translation>已按文件要求将画面转正</translation>
    </message>
    <message>
        <source>the process that tracked {path} ended ({how}): the other files continue; try this one alone</source>
        <translation>跟踪 {path} 的进程已中止（{how}）：其他文件继续进行；请单独重试此文件</translation>
    </message>
    <message>
        <source>the recording ended ({kind}: {error})</source>
        <translation>录制已中断（{kind}: {error}）</translation>
    </message>
    <message>
        <source>the recording ended because the frames are now {width}x{height} instead of {width_before}x{height_before}: record again</source>
        <translation>录制已结束，因为画面现为 {width}x{height}，之前为 {width_before}x{height_before}：请重新录制</translation>
    </message>
    <message>
        <source>the recording ended because less than {least_mb} MB are left in {folder}: free some space and record again</source>
        <translation>录制已结束：{folder} 剩余空间不足 {least_mb} MB；请释放空间后重新录制</translation>
    </message>
    <message>
        <source>the sound of {name} could not be copied to its end ({reason})</source>
        <translation>{name} 的声音未能完整复制（{reason}）</translation>
    </message>
    <message>
        <source>the start, {start_s:g} s, must be before the end, {end_s:g} s</source>
        <translation>起点 {start_s:g} 秒须在终点 {end_s:g} 秒之前</translation>
    </message>
    <message>
        <source>the ground truth {path} has {given} frames, the video {frames}: they do not belong together</source>
        <translation>真值 {path} 有 {given} 帧，视频有 {frames} 帧：两者不匹配</translation>
    </message>
    <message>
        <source>the weights {path} are larger than {most_gib} GiB: such large models cannot be used</source>
        <translation>权重 {path} 大于 {most_gib} GiB：无法用这么大的模型跟踪</translation>
    </message>
    <message>
        <source>the weights {path} were altered or damaged (SHA-256 {found}…, the model card says {wanted}…): install Steadymark again, or restore the file</source>
        <translation>权重 {path} 已被修改或损坏（SHA-256 {found}…，模型卡中为 {wanted}…）：请重新安装 Steadymark，或将文件放回原处</translation>
    </message>
    <message>
        <source>the {key} &apos;{value}&apos; is an unknown model: it is not a plain name</source>
        <translation>{key}“{value}”是未知模型：它不是普通名称</translation>
    </message>
    <message>
        <source>the {key} &apos;{value}&apos; is unknown: it is not a plain name</source>
        <translation>{key}“{value}”未知：它不是普通名称</translation>
    </message>
    <message>
        <source>the {what} of the model is missing: give it, or &apos;{unknown}&apos; if you do not know it</source>
        <translation>缺少模型的 {what}：请填写，如果不知道请填“{unknown}”</translation>
    </message>
    <message>
        <source>there are no landmark columns (x_0, y_0, …)</source>
        <translation>没有关键点列（x_0, y_0, …）</translation>
    </message>
    <message>
        <source>the images have numbers 0 to {last}: there is no image {index}</source>
        <translation>只有图片 0 到 {last}，没有 {index}</translation>
    </message>
    <message>
        <source>there is a folder of that name: choose another name</source>
        <translation>已有同名文件夹：请选择其他名称</translation>
    </message>
    <message>
        <source>there is already a model &apos;{name}&apos;: choose another name</source>
        <translation>已有名为“{name}”的模型：请换一个名称</translation>
    </message>
    <message>
        <source>All values of each face in each frame.</source>
        <translation>每一帧中每张人脸的所有数值。</translation>
    </message>
    <message>
        <source>Export {table}…</source>
        <translation>导出{table}…</translation>
    </message>
    <message>
        <source>Head and expression of the first face, by OSC, for avatars of the Virtual Motion Capture protocol.</source>
        <translation>第一张人脸的头部姿态和表情，通过 OSC 发送，适用于 Virtual Motion Capture 协议的虚拟形象。</translation>
    </message>
    <message>
        <source>LSL</source>
        <translation>LSL</translation>
    </message>
    <message>
        <source>Landmarks and head pose of the first face, as a stream of the Lab Streaming Layer.</source>
        <translation>第一张人脸的关键点和头部姿态，以 Lab Streaming Layer 流发送。</translation>
    </message>
    <message>
        <source>Landmarks, head pose and expression of every face, as OpenSeeFace&apos;s UDP packets, for VSeeFace, VTube Studio and others.</source>
        <translation>每张人脸的关键点、头部姿态和表情，以 OpenSeeFace 的 UDP 数据包发送，适用于 VSeeFace、VTube Studio 等。</translation>
    </message>
    <message>
        <source>OpenSeeFace</source>
        <translation>OpenSeeFace</translation>
    </message>
    <message>
        <source>Steadymark&apos;s table (CSV)</source>
        <translation>Steadymark 表格 (CSV)</translation>
    </message>
    <message>
        <source>The columns that scripts for OpenFace expect.</source>
        <translation>OpenFace 脚本所需的列。</translation>
    </message>
    <message>
        <source>VMC</source>
        <translation>VMC</translation>
    </message>
    <message>
        <source>cannot send to &apos;{text}&apos;: write one of {names}, or where to: {examples}</source>
        <translation>无法向“{text}”发送：请写 {names} 之一，或写明目标：{examples}</translation>
    </message>
    <message>
        <source>host and port</source>
        <translation>主机和端口</translation>
    </message>
    <message>
        <source>name of the stream</source>
        <translation>流名称</translation>
    </message>
    <message>
        <source>table for OpenFace scripts (CSV)</source>
        <translation>供 OpenFace 脚本使用的表格 (CSV)</translation>
    </message>
    <message>
        <source>the format {name} holds landmarks of {wanted}, and these are of {found}: choose --format native</source>
        <translation>格式 {name} 只能保存 {wanted} 的特征点，而这些特征点属于 {found}：请选择 --format native</translation>
    </message>
    <message>
        <source>the plug-in {path} cannot be loaded ({kind}: {error}): correct it, or take it out of the environment variable {variable}</source>
        <translation>无法加载插件 {path}（{kind}：{error}）：请改正它，或将它从环境变量 {variable} 中去掉</translation>
    </message>
    <message>
        <source>there is no {cell} stabilizer for &apos;{name}&apos; (only for {known}): choose flow, none or one-euro, or train one with steadymark-train</source>
        <translation>没有适用于“{name}”的 {cell} 稳定器（只适用于 {known}）：请选择光流、“无”或 One Euro，或用 steadymark-train 训练一个</translation>
    </message>
    <message>
        <source>{parent} does not contain {name}: put it beside its card</source>
        <translation>{parent} 中没有 {name}：请将其放在模型卡旁边</translation>
    </message>
    <message>
        <source>this ONNX Runtime was built without CUDA</source>
        <translation>此 ONNX Runtime 构建时未包含 CUDA</translation>
    </message>
    <message>
        <source>this PyAV has no H.264 encoder (libx264): install the wheel from PyPI (pip install --force-reinstall av), or record CSV only</source>
        <translation>此 PyAV 没有 H.264 编码器 (libx264)：请从 PyPI 安装（pip install --force-reinstall av），或只写入 CSV</translation>
    </message>
    <message>
        <source>the timestamps start again: frames are counted instead</source>
        <translation>时间戳重新开始：改为按帧计数</translation>
    </message>
    <message>
        <source>the timestamps contradict each other: frames are counted instead</source>
        <translation>时间戳相互矛盾：改为按帧计数</translation>
    </message>
    <message>
        <source>the timestamps decrease in {count} places: the latest timestamp is kept there</source>
        <translation>时间戳有 {count} 处倒退：这些位置保持最晚的时间戳</translation>
    </message>
    <message>
        <source>the timestamps are times of arrival</source>
        <translation>时间为到达时间</translation>
    </message>
    <message>
        <source>tracking cannot start ({fault})</source>
        <translation>无法开始跟踪（{fault}）</translation>
    </message>
    <message>
        <source>tracking stopped ({fault})</source>
        <translation>跟踪已中断（{fault}）</translation>
    </message>
    <message>
        <source>tracking stopped after {count} frames: {error}</source>
        <translation>跟踪在 {count} 帧后中断：{error}</translation>
    </message>
    <message>
        <source>tracking stopped: no output can be written any more</source>
        <translation>跟踪已中断：所有输出都无法继续写入</translation>
    </message>
    <message>
        <source>unknown device &apos;{device}&apos;: choose one of {known}</source>
        <translation>未知设备“{device}”：可选 {known}</translation>
    </message>
    <message>
        <source>unknown model &apos;{name}&apos;: choose one of {known}, or name an .onnx file with its model card (.json) beside it</source>
        <translation>未知模型“{name}”：可选 {known}，或指定旁边带有模型卡 (.json) 的 .onnx 文件</translation>
    </message>
    <message>
        <source>unknown schema &apos;{schema}&apos;: models of {known} can be added</source>
        <translation>未知的编号方案“{schema}”：可添加 {known} 的模型</translation>
    </message>
    <message>
        <source>A published ConvLSTM over the heatmaps of heatmap1d-lite.</source>
        <translation>heatmap1d-lite 热图上的已发表 ConvLSTM。</translation>
    </message>
    <message>
        <source>A published recurrent cell over the heatmaps of heatmap1d-lite.</source>
        <translation>heatmap1d-lite 热图上的已发表循环单元。</translation>
    </message>
    <message>
        <source>Head axes</source>
        <translation>头部坐标轴</translation>
    </message>
    <message>
        <source>Beta</source>
        <translation>Beta</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is not a list of landmarks: write 36,39,42-45, each once, or 36=27,39=29 where 27 and 29 are numbers of the ground truth</source>
        <translation>“{text}”不是关键点列表：请写成 36,39,42-45，每个一次，或 36=27,39=29，其中 27 和 29 是真值的编号</translation>
    </message>
    <message>
        <source>&apos;{model_file}&apos; is too large for a model file</source>
        <translation>“{model_file}”太大，不可能是模型文件</translation>
    </message>
    <message>
        <source>&apos;mirrored&apos; is neither true nor false</source>
        <translation>“mirrored”既不是 true 也不是 false</translation>
    </message>
    <message>
        <source>&apos;shapes&apos; is no object with the names of shapes</source>
        <translation>“shapes”不是以形状名称为键的对象</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; has an unknown &apos;{key}&apos;</source>
        <translation>“{name}”含有未知的“{key}”</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is no object with {known}</source>
        <translation>“{name}”不是含 {known} 的对象</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is unknown</source>
        <translation>“{name}”未知</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; must be a list</source>
        <translation>“{name}”必须是列表</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; must be an object</source>
        <translation>“{name}”必须是对象</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; must be text, not {value}</source>
        <translation>“{name}”必须是文本，而不是 {value}</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; must hold objects, not {value}</source>
        <translation>“{name}”必须包含对象，而不是 {value}</translation>
    </message>
    <message>
        <source>&apos;{name}&apos;: &apos;{field}&apos; cannot be {value}</source>
        <translation>“{name}”：“{field}”不能是 {value}</translation>
    </message>
    <message>
        <source>&apos;{name}&apos;: {fault}</source>
        <translation>“{name}”：{fault}</translation>
    </message>
    <message>
        <source>&apos;{name}&apos;: {reason}</source>
        <translation>“{name}”：{reason}</translation>
    </message>
    <message>
        <source>&apos;{part}&apos; is no option of this target: write one of {examples}</source>
        <translation>“{part}”不是此目标的选项：请写 {examples} 之一</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is neither a file nor a preset of expressions, and there are no presets: name a file, or save a preset in the window with Live &gt; Expressions</source>
        <translation>“{text}”既不是文件也不是表情预设，且没有任何预设：请指定文件，或在窗口的“实时 &gt; 表情”中保存预设</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is neither a file nor a preset of expressions: choose one of {known}</source>
        <translation>“{text}”既不是文件也不是表情预设：可选 {known}</translation>
    </message>
    <message>
        <source>1 frame has no timestamp: it is placed between its neighbours</source>
        <translation>1 帧没有时间戳：按相邻帧插入</translation>
    </message>
    <message>
        <source>1 frame has the timestamp of the frame before it</source>
        <translation>1 帧与前一帧的时间戳相同</translation>
    </message>
    <message>
        <source>1 image in {folder} is beside videos: name it to track it</source>
        <translation>{folder} 中有 1 张图片与视频放在一起：如需跟踪，请指明它</translation>
    </message>
    <message>
        <source>1 packet was sent to {target}</source>
        <translation>已向 {target} 发送 1 个数据包</translation>
    </message>
    <message>
        <source>1 was dropped</source>
        <translation>丢弃了 1 个</translation>
    </message>
    <message>
        <source>A face that is missing for longer, between two frames with it.</source>
        <translation>在有该人脸的两帧之间缺失更久的人脸。</translation>
    </message>
    <message>
        <source>ARKit (perfect sync)</source>
        <translation>ARKit (Perfect Sync)</translation>
    </message>
    <message>
        <source>Accept a stretch</source>
        <translation>接受片段</translation>
    </message>
    <message>
        <source>Action units</source>
        <translation>动作单元</translation>
    </message>
    <message>
        <source>Butterworth</source>
        <translation>Butterworth</translation>
    </message>
    <message>
        <source>Butterworth, no lag</source>
        <translation>Butterworth，无延迟</translation>
    </message>
    <message>
        <source>Change the limits of doubtful stretches</source>
        <translation>更改可疑片段的阈值</translation>
    </message>
    <message>
        <source>ConvLSTM</source>
        <translation>ConvLSTM</translation>
    </message>
    <message>
        <source>Curve</source>
        <translation>曲线</translation>
    </message>
    <message>
        <source>Cut-off</source>
        <translation>截止频率</translation>
    </message>
    <message>
        <source>Cut-off at rest</source>
        <translation>静止截止频率</translation>
    </message>
    <message>
        <source>Cut-off frequency at rest: lower is stiller, and later.</source>
        <translation>静止时的截止频率：越低越稳，但延迟越大。</translation>
    </message>
    <message>
        <source>Cut-off frequency of the low-pass filter of the speed.</source>
        <translation>速度低通滤波器的截止频率。</translation>
    </message>
    <message>
        <source>Cut-off frequency: lower is stiller, but fast motion is lost.</source>
        <translation>截止频率：越低越稳，但会丢失快速运动。</translation>
    </message>
    <message>
        <source>Cut-off of the speed</source>
        <translation>速度截止频率</translation>
    </message>
    <message>
        <source>Dead zone</source>
        <translation>死区</translation>
    </message>
    <message>
        <source>Direction of an eye</source>
        <translation>一只眼睛的方向</translation>
    </message>
    <message>
        <source>Exclude a stretch</source>
        <translation>排除片段</translation>
    </message>
    <message>
        <source>Exponent: above 1, weak expressions become weaker; below 1, stronger.</source>
        <translation>指数：大于 1 时弱表情更弱，小于 1 时更强。</translation>
    </message>
    <message>
        <source>Expressions</source>
        <translation>表情</translation>
    </message>
    <message>
        <source>Expressions and head rotation for Unreal, Blender and Maya, a file per face.</source>
        <translation>表情和头部旋转，用于 Unreal、Blender 和 Maya，每张人脸一个文件。</translation>
    </message>
    <message>
        <source>Expressions and head rotation of the first face, as the Live Link Face app sends them, for Unreal and add-ons of Blender.</source>
        <translation>第一张人脸的表情和头部旋转，格式与 Live Link Face 应用发送的相同，适用于 Unreal 和 Blender 插件。</translation>
    </message>
    <message>
        <source>Factor of the strength. Results above 1 are 1.</source>
        <translation>强度的倍数。结果超过 1 时取 1。</translation>
    </message>
    <message>
        <source>Frames are being tracked again: wait until it is done.</source>
        <translation>正在重新跟踪：请等待其完成。</translation>
    </message>
    <message>
        <source>Frames in which another face covers more of this one, so that the two may exchange their numbers.</source>
        <translation>另一张人脸遮住此人脸更多的帧，两者的编号可能互换。</translation>
    </message>
    <message>
        <source>Frames in which more landmarks have a score below 0.6.</source>
        <translation>有更多关键点的置信度低于 0.6 的帧。</translation>
    </message>
    <message>
        <source>Frames in which the landmarks jump further from the frame before, in % of the eye distance, while they move little before and after.</source>
        <translation>关键点相对前一帧跳动更远（占眼距的 %），而前后移动很小的帧。</translation>
    </message>
    <message>
        <source>Frames in which the median score of the landmarks is lower.</source>
        <translation>关键点置信度中位数更低的帧。</translation>
    </message>
    <message>
        <source>Frames in which the stabilizer moves the landmarks further, in % of the eye distance.</source>
        <translation>稳定器将关键点移动得更远（占眼距的 %）的帧。</translation>
    </message>
    <message>
        <source>Frames in which the yaw or the pitch of the head is larger.</source>
        <translation>头部偏航或俯仰更大的帧。</translation>
    </message>
    <message>
        <source>Frames {first} to {last} are as they were: {fault}</source>
        <translation>第 {first} 至 {last} 帧保持原样：{fault}</translation>
    </message>
    <message>
        <source>Frames {first} to {last} are tracked again. Until then, they are as they were.</source>
        <translation>正在重新跟踪第 {first} 至 {last} 帧。完成之前它们保持原样。</translation>
    </message>
    <message>
        <source>Gain</source>
        <translation>增益</translation>
    </message>
    <message>
        <source>Gaze</source>
        <translation>视线</translation>
    </message>
    <message>
        <source>Head pose</source>
        <translation>头部姿态</translation>
    </message>
    <message>
        <source>Head turned by more than</source>
        <translation>头部转动超过</translation>
    </message>
    <message>
        <source>Hidden landmarks above</source>
        <translation>被遮挡的关键点超过</translation>
    </message>
    <message>
        <source>How fast the cut-off frequency rises with speed: higher means less lag when the face moves.</source>
        <translation>截止频率随速度上升的快慢：越高，人脸运动时延迟越小。</translation>
    </message>
    <message>
        <source>How the movement of the head is sent.</source>
        <translation>头部移动的发送方式。</translation>
    </message>
    <message>
        <source>Include a stretch again</source>
        <translation>取消排除片段</translation>
    </message>
    <message>
        <source>Jump of more than</source>
        <translation>跳动超过</translation>
    </message>
    <message>
        <source>Live Link Face</source>
        <translation>Live Link Face</translation>
    </message>
    <message>
        <source>Mean of both eyes; both angles are 0 if the eyes look into the camera</source>
        <translation>双眼的平均值；眼睛看向摄像头时两个角度均为 0</translation>
    </message>
    <message>
        <source>MediaPipe is not installed: &apos;pip install steadymark[mediapipe]&apos;, or use another model</source>
        <translation>未安装 MediaPipe：请运行“pip install steadymark[mediapipe]”，或使用其他模型</translation>
    </message>
    <message>
        <source>Millimetres to the right, down and away from the camera; exact only if the focal length is correct</source>
        <translation>相对相机光轴向右、向下以及到相机的距离（毫米）；焦距正确时才准确</translation>
    </message>
    <message>
        <source>Missing for more than</source>
        <translation>缺失超过</translation>
    </message>
    <message>
        <source>Names of the blend shapes that the avatar has.</source>
        <translation>虚拟形象所具有的混合形状的名称。</translation>
    </message>
    <message>
        <source>No face is seen: sit before the camera</source>
        <translation>看不到面孔：请坐到摄像头前</translation>
    </message>
    <message>
        <source>No face was found in {name} (1 frame).</source>
        <translation>在 {name} 中未找到人脸（1 帧）。</translation>
    </message>
    <message>
        <source>No face was found in {name} ({count} frames).</source>
        <translation>在 {name} 中未找到人脸（{count} 帧）。</translation>
    </message>
    <message>
        <source>One Euro</source>
        <translation>One Euro</translation>
    </message>
    <message>
        <source>One Euro filter</source>
        <translation>One Euro 滤波器</translation>
    </message>
    <message>
        <source>Open a recording first.</source>
        <translation>请先打开一个录像。</translation>
    </message>
    <message>
        <source>Open a recording first: corrections belong to a recording.</source>
        <translation>请先打开一个录像：校正属于某个录像。</translation>
    </message>
    <message>
        <source>Open a stretch again</source>
        <translation>将片段重新设为待审</translation>
    </message>
    <message>
        <source>Optical flow moves the known landmarks of any model, and a small recurrent network weighs them against those that the model finds.</source>
        <translation>光流移动任意模型的已知关键点，再由一个小型循环网络与模型找到的关键点权衡。</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>阶数</translation>
    </message>
    <message>
        <source>Order of the filter: higher cuts off more sharply.</source>
        <translation>滤波器的阶数：越高截止越陡。</translation>
    </message>
    <message>
        <source>Overlap of two faces above</source>
        <translation>两张人脸重叠超过</translation>
    </message>
    <message>
        <source>Parquet needs pyarrow, which is not installed: pip install pyarrow, or name a file that ends in .csv</source>
        <translation>Parquet 需要 pyarrow，但它未安装：请运行 pip install pyarrow，或使用以 .csv 结尾的文件名</translation>
    </message>
    <message>
        <source>Pause of the video above</source>
        <translation>视频停顿超过</translation>
    </message>
    <message>
        <source>Pitch (down), yaw (to the left of the picture) and roll (clockwise)</source>
        <translation>俯仰（向下）、偏航（朝画面左侧）和翻滚（顺时针）</translation>
    </message>
    <message>
        <source>Places at which frames of the video are missing, since they are damaged or were not recorded.</source>
        <translation>视频缺帧之处，因为这些帧已损坏或未录制。</translation>
    </message>
    <message>
        <source>Position</source>
        <translation>位置</translation>
    </message>
    <message>
        <source>Pupil</source>
        <translation>瞳孔</translation>
    </message>
    <message>
        <source>Pupils</source>
        <translation>瞳孔</translation>
    </message>
    <message>
        <source>Raw and stabilized apart by more than</source>
        <translation>原始点与稳定后的点相距超过</translation>
    </message>
    <message>
        <source>Results of {table} are shown; they were not tracked here.</source>
        <translation>正在显示 {table} 的结果；它们并非在此跟踪。</translation>
    </message>
    <message>
        <source>Score below</source>
        <translation>置信度低于</translation>
    </message>
    <message>
        <source>Score of the pupil</source>
        <translation>瞳孔的置信度</translation>
    </message>
    <message>
        <source>Several faces are seen: only one person can be calibrated</source>
        <translation>看到多张面孔：只能校准一个人</translation>
    </message>
    <message>
        <source>Shapes</source>
        <translation>混合形状</translation>
    </message>
    <message>
        <source>Some faces of {table} lie outside the picture of {video} ({width} × {height} pixels): the table may be of another video.</source>
        <translation>{table} 中的一些人脸位于 {video} 的画面（{width} × {height} 像素）之外：该表格可能属于另一视频。</translation>
    </message>
    <message>
        <source>Strengths up to this one become 0, and the others begin there.</source>
        <translation>不超过此值的强度变为 0，其余强度从此值算起。</translation>
    </message>
    <message>
        <source>The centres of the pupils; right and left are the person&apos;s</source>
        <translation>瞳孔中心；左右以人物自身为准</translation>
    </message>
    <message>
        <source>The eyes are not seen: look at the point with open eyes</source>
        <translation>看不到眼睛：请睁眼注视该点</translation>
    </message>
    <message>
        <source>The face is never followed for half a second.</source>
        <translation>人脸从未被连续跟踪半秒。</translation>
    </message>
    <message>
        <source>The gaze is not steady yet: keep looking at the point</source>
        <translation>视线还不稳定：请继续注视该点</translation>
    </message>
    <message>
        <source>The landmarks stay as the model finds them.</source>
        <translation>关键点保持模型找到的样子。</translation>
    </message>
    <message>
        <source>The model&apos;s own stabilizer if it has one, otherwise flow.</source>
        <translation>模型若自带稳定器则用之，否则用光流。</translation>
    </message>
    <message>
        <source>The project is not saved, and is kept in memory: {fault}</source>
        <translation>项目未保存，保留在内存中：{fault}</translation>
    </message>
    <message>
        <source>The project is saved again.</source>
        <translation>项目已恢复保存。</translation>
    </message>
    <message>
        <source>The strongest action units of FACS, with intensities from 0 to 5</source>
        <translation>FACS 中最强的动作单元，强度从 0 到 5</translation>
    </message>
    <message>
        <source>The strongest of ARKit&apos;s 52 face shapes, from 0 to 1</source>
        <translation>ARKit 52 个面部形状中最强的几个，从 0 到 1</translation>
    </message>
    <message>
        <source>The table of the project cannot be used, so the video is tracked: {fault}</source>
        <translation>无法使用项目的表格，因此跟踪该视频：{fault}</translation>
    </message>
    <message>
        <source>The times of {table} and {video} differ by {apart:.2f} s: the table may be of another video.</source>
        <translation>{table} 与 {video} 的时间相差 {apart:.2f} s：该表格可能属于另一视频。</translation>
    </message>
    <message>
        <source>The video has {fps:.3g} frames per second; {least:.0f} are needed.</source>
        <translation>视频每秒 {fps:.3g} 帧，需要 {least:.0f} 帧。</translation>
    </message>
    <message>
        <source>There is no frame to track after this one.</source>
        <translation>此帧之后没有可跟踪的帧。</translation>
    </message>
    <message>
        <source>There is no tracked face in this frame.</source>
        <translation>此帧中没有被跟踪的人脸。</translation>
    </message>
    <message>
        <source>These images are tracked independently of each other.</source>
        <translation>这些图像是彼此独立跟踪的。</translation>
    </message>
    <message>
        <source>VRM (eyelids and vowels)</source>
        <translation>VRM（眼睑和元音）</translation>
    </message>
    <message>
        <source>Wait until all frames are processed.</source>
        <translation>请等待所有帧处理完毕。</translation>
    </message>
    <message>
        <source>a calibration needs {fewest} points or more at which the gaze is known, not {count}: look at more points, with both eyes visible</source>
        <translation>校准需要至少 {fewest} 个视线已知的点，而只有 {count} 个：请注视更多的点，并让双眼可见</translation>
    </message>
    <message>
        <source>a lane needs a name</source>
        <translation>轨道需要名称</translation>
    </message>
    <message>
        <source>a number is too large</source>
        <translation>有一个数过大</translation>
    </message>
    <message>
        <source>a row cannot be read as numbers</source>
        <translation>有一行无法按数字读取</translation>
    </message>
    <message>
        <source>a video is rotated by 0, 90, 180 or 270 degrees, not by {given}</source>
        <translation>视频只能旋转 0、90、180 或 270 度，不能旋转 {given} 度</translation>
    </message>
    <message>
        <source>add the lane &apos;{lane}&apos;</source>
        <translation>添加轨道“{lane}”</translation>
    </message>
    <message>
        <source>an annotation from {start:g} s to {end:g} s is not possible: it must end after it starts</source>
        <translation>不能有从 {start:g} 秒到 {end:g} 秒的标注：结束必须晚于开始</translation>
    </message>
    <message>
        <source>and 1 more place</source>
        <translation>以及另外 1 处</translation>
    </message>
    <message>
        <source>angle, °</source>
        <translation>角度，°</translation>
    </message>
    <message>
        <source>animation for Live Link Face (CSV)</source>
        <translation>Live Link Face 动画 (CSV)</translation>
    </message>
    <message>
        <source>another face overlaps by {percent:.0f} %</source>
        <translation>与另一张人脸重叠 {percent:.0f} %</translation>
    </message>
    <message>
        <source>another person is called {name} already: merge the two, or choose another name</source>
        <translation>另一人物已叫 {name}：请合并两者或另选名称</translation>
    </message>
    <message>
        <source>as a virtual tracker</source>
        <translation>作为虚拟追踪器</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>blink</source>
        <translation>眨眼</translation>
    </message>
    <message>
        <source>brow lowerer</source>
        <translation>降眉</translation>
    </message>
    <message>
        <source>calibrate the gaze</source>
        <translation>校准视线</translation>
    </message>
    <message>
        <source>cannot read the annotations in {path}: {error}</source>
        <translation>无法读取 {path} 中的标注：{error}</translation>
    </message>
    <message>
        <source>change in &apos;{lane}&apos;</source>
        <translation>“{lane}”中的更改</translation>
    </message>
    <message>
        <source>change the lane &apos;{lane}&apos;</source>
        <translation>更改轨道“{lane}”</translation>
    </message>
    <message>
        <source>cheek raiser</source>
        <translation>脸颊提升</translation>
    </message>
    <message>
        <source>chin raiser</source>
        <translation>下巴提升</translation>
    </message>
    <message>
        <source>choose the neutral face</source>
        <translation>选择中性表情</translation>
    </message>
    <message>
        <source>correct frame {frame}</source>
        <translation>校正第 {frame} 帧</translation>
    </message>
    <message>
        <source>delete in &apos;{lane}&apos;</source>
        <translation>“{lane}”中的删除</translation>
    </message>
    <message>
        <source>delete the lane &apos;{lane}&apos;</source>
        <translation>移除轨道“{lane}”</translation>
    </message>
    <message>
        <source>dimpler</source>
        <translation>酒窝</translation>
    </message>
    <message>
        <source>doubtful stretches cannot be found ({fault})</source>
        <translation>无法查找可疑片段（{fault}）</translation>
    </message>
    <message>
        <source>down</source>
        <translation>向下</translation>
    </message>
    <message>
        <source>downwards</source>
        <translation>向下</translation>
    </message>
    <message>
        <source>event in &apos;{lane}&apos;</source>
        <translation>“{lane}”中的事件</translation>
    </message>
    <message>
        <source>exclude</source>
        <translation>排除</translation>
    </message>
    <message>
        <source>expression</source>
        <translation>表情</translation>
    </message>
    <message>
        <source>face not found</source>
        <translation>未找到人脸</translation>
    </message>
    <message>
        <source>flow</source>
        <translation>光流</translation>
    </message>
    <message>
        <source>forget the neutral face</source>
        <translation>取消中性表情</translation>
    </message>
    <message>
        <source>frame {frame} cannot be read any more</source>
        <translation>第 {frame} 帧已无法读取</translation>
    </message>
    <message>
        <source>frames are missing for {seconds:.2f} s</source>
        <translation>缺少 {seconds:.2f} 秒的帧</translation>
    </message>
    <message>
        <source>frames missing</source>
        <translation>缺帧</translation>
    </message>
    <message>
        <source>gaze, °</source>
        <translation>视线，°</translation>
    </message>
    <message>
        <source>head turned by {degrees:.0f}°</source>
        <translation>头部转动 {degrees:.0f}°</translation>
    </message>
    <message>
        <source>head turned far</source>
        <translation>头部转动过大</translation>
    </message>
    <message>
        <source>hidden landmarks</source>
        <translation>关键点被遮挡</translation>
    </message>
    <message>
        <source>identity uncertain</source>
        <translation>身份不确定</translation>
    </message>
    <message>
        <source>import {file}</source>
        <translation>导入 {file}</translation>
    </message>
    <message>
        <source>inner brow raiser</source>
        <translation>内眉上扬</translation>
    </message>
    <message>
        <source>intensity</source>
        <translation>强度</translation>
    </message>
    <message>
        <source>interval in &apos;{lane}&apos;</source>
        <translation>“{lane}”中的区间</translation>
    </message>
    <message>
        <source>it has no name</source>
        <translation>它没有名称</translation>
    </message>
    <message>
        <source>it is cut off: how much is missing is not known</source>
        <translation>文件被截断：缺少多少未知</translation>
    </message>
    <message>
        <source>it is cut off: it ends at {time} instead of {end} ({percent:.1f} %)</source>
        <translation>文件被截断：在 {time} 结束，而不是 {end}（{percent:.1f} %）</translation>
    </message>
    <message>
        <source>it is cut off: {there} of its {count} frames are there ({percent:.1f} %)</source>
        <translation>文件被截断：{count} 帧中只有 {there} 帧（{percent:.1f} %）</translation>
    </message>
    <message>
        <source>it is interlaced: --deinterlace avoids combed edges where faces move</source>
        <translation>视频是隔行扫描的：--deinterlace 可避免运动人脸的锯齿边缘</translation>
    </message>
    <message>
        <source>it is not a file of ELAN</source>
        <translation>它不是 ELAN 文件</translation>
    </message>
    <message>
        <source>it is not a table with tabs</source>
        <translation>它不是制表符分隔的表格</translation>
    </message>
    <message>
        <source>it is not text in UTF-8</source>
        <translation>它不是 UTF-8 文本</translation>
    </message>
    <message>
        <source>it sends single images: {rate:g} are asked for per second</source>
        <translation>它发送单张图像：每秒请求 {rate:g} 张</translation>
    </message>
    <message>
        <source>its name is not valid</source>
        <translation>其名称无效</translation>
    </message>
    <message>
        <source>its point_scores are {value}</source>
        <translation>其 point_scores 为 {value}</translation>
    </message>
    <message>
        <source>its rows are not numbers</source>
        <translation>其各行不是数字</translation>
    </message>
    <message>
        <source>jaw</source>
        <translation>下颌</translation>
    </message>
    <message>
        <source>jaw drop</source>
        <translation>下颌下落</translation>
    </message>
    <message>
        <source>jump</source>
        <translation>跳动</translation>
    </message>
    <message>
        <source>jump by {percent:.0f} % of the eye distance</source>
        <translation>跳动眼距的 {percent:.0f} %</translation>
    </message>
    <message>
        <source>left</source>
        <translation>左</translation>
    </message>
    <message>
        <source>left eyelid</source>
        <translation>左眼睑</translation>
    </message>
    <message>
        <source>lid tightener</source>
        <translation>眼睑收紧</translation>
    </message>
    <message>
        <source>line 1: neither a Steadymark file (&apos;{magic} {format}&apos;) nor the names of its columns (&apos;frame,face_id,timestamp_s,…&apos;) or of OpenFace&apos;s (&apos;frame, face_id, timestamp, …&apos;): save the table as CSV with the names of its columns in the first line</source>
        <translation>第 1 行：既不是 Steadymark 文件（&apos;{magic} {format}&apos;），也不是其列名（&apos;frame,face_id,timestamp_s,…&apos;）或 OpenFace 的列名（&apos;frame, face_id, timestamp, …&apos;）：请将表格另存为首行带列名的 CSV</translation>
    </message>
    <message>
        <source>line 1: the file is not UTF-8: save it as &apos;CSV UTF-8&apos;</source>
        <translation>第 1 行：文件不是 UTF-8：请另存为“CSV UTF-8”</translation>
    </message>
    <message>
        <source>line 2: the header is not &apos;# &apos; and JSON</source>
        <translation>第 2 行：文件头不是“# ”加 JSON</translation>
    </message>
    <message>
        <source>line {line}</source>
        <translation>第 {line} 行</translation>
    </message>
    <message>
        <source>line {line}: it is not a file of ELAN</source>
        <translation>第 {line} 行：它不是 ELAN 文件</translation>
    </message>
    <message>
        <source>line {number} has 1 field, but there are {columns} columns</source>
        <translation>第 {number} 行有 1 个字段，但共有 {columns} 列</translation>
    </message>
    <message>
        <source>line {number}, &apos;{given}&apos; is not a number</source>
        <translation>第 {number} 行，“{given}”不是数字</translation>
    </message>
    <message>
        <source>lip corner depressor</source>
        <translation>嘴角下拉</translation>
    </message>
    <message>
        <source>lip corner puller</source>
        <translation>拉嘴角</translation>
    </message>
    <message>
        <source>lip stretcher</source>
        <translation>嘴唇拉伸</translation>
    </message>
    <message>
        <source>lip suck</source>
        <translation>抿唇</translation>
    </message>
    <message>
        <source>lip tightener</source>
        <translation>嘴唇收紧</translation>
    </message>
    <message>
        <source>lips part</source>
        <translation>双唇分开</translation>
    </message>
    <message>
        <source>low score</source>
        <translation>置信度低</translation>
    </message>
    <message>
        <source>merge persons</source>
        <translation>合并人物</translation>
    </message>
    <message>
        <source>most landmarks are guesses (median score {score:.2f})</source>
        <translation>大多数关键点只是猜测（置信度中位数 {score:.2f}）</translation>
    </message>
    <message>
        <source>moves the avatar</source>
        <translation>移动虚拟形象</translation>
    </message>
    <message>
        <source>name the person</source>
        <translation>为人物命名</translation>
    </message>
    <message>
        <source>neutral</source>
        <translation>中性</translation>
    </message>
    <message>
        <source>no action unit</source>
        <translation>无动作单元</translation>
    </message>
    <message>
        <source>no face attribute is drawn as &apos;{name}&apos;: choose one of {known}</source>
        <translation>没有以“{name}”绘制的人脸属性：可选 {known}</translation>
    </message>
    <message>
        <source>no frame has been processed yet</source>
        <translation>尚未处理任何帧</translation>
    </message>
    <message>
        <source>no gaze is known at the points: choose moments in which the eyes are open and visible</source>
        <translation>这些点处没有已知的视线：请选择眼睛睁开且可见的时刻</translation>
    </message>
    <message>
        <source>no recording is open: open the recording of the person</source>
        <translation>没有打开的录像：请打开此人的录像</translation>
    </message>
    <message>
        <source>none of the finished videos of the queue has ground truth beside it</source>
        <translation>队列中已完成的视频旁都没有真值</translation>
    </message>
    <message>
        <source>nose wrinkler</source>
        <translation>皱鼻</translation>
    </message>
    <message>
        <source>not found for {seconds:.2f} s</source>
        <translation>{seconds:.2f} 秒未找到</translation>
    </message>
    <message>
        <source>not sent</source>
        <translation>不发送</translation>
    </message>
    <message>
        <source>nothing can be exported: the table has no rows</source>
        <translation>无法导出：表格没有任何行</translation>
    </message>
    <message>
        <source>nothing is left to export: everything is excluded or outside the part</source>
        <translation>没有可导出的内容：全部已被排除或在范围之外</translation>
    </message>
    <message>
        <source>nothing is left to export: no face was found</source>
        <translation>没有可导出的内容：没有找到人脸</translation>
    </message>
    <message>
        <source>outer brow raiser</source>
        <translation>外眉上扬</translation>
    </message>
    <message>
        <source>people cannot be listed ({fault})</source>
        <translation>无法列出人物（{fault}）</translation>
    </message>
    <message>
        <source>person {name} has two faces in a frame: undo the merge, or export one row for each face</source>
        <translation>人员 {name} 在同一帧中有两张人脸：请撤销合并，或按每张人脸一行导出</translation>
    </message>
    <message>
        <source>person {number} cannot be merged with itself</source>
        <translation>人物 {number} 不能与自身合并</translation>
    </message>
    <message>
        <source>person {number} cannot be split at frame {frame}: choose a later frame</source>
        <translation>人物 {number} 不能在第 {frame} 帧拆分：请选择更靠后的帧</translation>
    </message>
    <message>
        <source>persons {one} and {other} cannot be exchanged from frame {first} on</source>
        <translation>人物 {one} 和 {other} 不能从第 {first} 帧起互换</translation>
    </message>
    <message>
        <source>pitch</source>
        <translation>俯仰</translation>
    </message>
    <message>
        <source>raw and stabilized apart</source>
        <translation>原始与稳定相距远</translation>
    </message>
    <message>
        <source>raw and stabilized landmarks lie {percent:.1f} % of the eye distance apart</source>
        <translation>原始点与稳定后的点相距眼距的 {percent:.1f} %</translation>
    </message>
    <message>
        <source>raw and stabilized {percent:.1f} % apart</source>
        <translation>原始点与稳定后的点相距 {percent:.1f} %</translation>
    </message>
    <message>
        <source>refinement</source>
        <translation>细化</translation>
    </message>
    <message>
        <source>remove the correction of frame {frame}</source>
        <translation>移除第 {frame} 帧的校正</translation>
    </message>
    <message>
        <source>remove the gaze calibration</source>
        <translation>移除视线校准</translation>
    </message>
    <message>
        <source>right</source>
        <translation>右</translation>
    </message>
    <message>
        <source>roll</source>
        <translation>翻滚</translation>
    </message>
    <message>
        <source>score {value:.2f}</source>
        <translation>置信度 {value:.2f}</translation>
    </message>
    <message>
        <source>sideways</source>
        <translation>左右</translation>
    </message>
    <message>
        <source>smile</source>
        <translation>微笑</translation>
    </message>
    <message>
        <source>span of the correction of frame {frame}</source>
        <translation>第 {frame} 帧校正的作用时长</translation>
    </message>
    <message>
        <source>split the person</source>
        <translation>拆分人物</translation>
    </message>
    <message>
        <source>swap two persons</source>
        <translation>互换两个人物</translation>
    </message>
    <message>
        <source>temporal refinement</source>
        <translation>时序细化</translation>
    </message>
    <message>
        <source>the data are no packet of Live Link Face with a face</source>
        <translation>数据不是含有人脸的 Live Link Face 数据包</translation>
    </message>
    <message>
        <source>the drawing &apos;{name}&apos; has the name of another command</source>
        <translation>绘制项“{name}”与另一个命令同名</translation>
    </message>
    <message>
        <source>the face attribute &apos;{name}&apos; cannot be computed ({kind}: {error})</source>
        <translation>无法计算人脸属性“{name}”（{kind}：{error}）</translation>
    </message>
    <message>
        <source>the face attributes &apos;{entry}&apos; and &apos;{other}&apos; share the name &apos;{name}&apos;</source>
        <translation>人脸属性“{entry}”和“{other}”使用了相同的名称“{name}”</translation>
    </message>
    <message>
        <source>the face is found and its landmarks are certain; jitter is not known</source>
        <translation>已找到人脸，关键点可靠；抖动未知</translation>
    </message>
    <message>
        <source>the face is found, and its landmarks are certain and steady</source>
        <translation>已找到人脸，关键点可靠且稳定</translation>
    </message>
    <message>
        <source>the file was cut off</source>
        <translation>文件被截断</translation>
    </message>
    <message>
        <source>the first line lacks {columns}</source>
        <translation>第一行缺少 {columns}</translation>
    </message>
    <message>
        <source>the folder of presets {folder} cannot be created: {reason}</source>
        <translation>无法创建预设文件夹 {folder}：{reason}</translation>
    </message>
    <message>
        <source>the follower &apos;{follower}&apos; has landmarks of {theirs}, but &apos;{name}&apos; those of {ours}: name another follower in the model card</source>
        <translation>后续模型“{follower}”的关键点属于 {theirs}，而“{name}”的属于 {ours}：请在模型卡中指定另一个后续模型</translation>
    </message>
    <message>
        <source>the images are deinterlaced, as requested</source>
        <translation>按要求进行了去隔行</translation>
    </message>
    <message>
        <source>the images are rotated by {degrees}°, as requested</source>
        <translation>按要求将图像旋转了 {degrees}°</translation>
    </message>
    <message>
        <source>the key {key} belongs to the lane &apos;{name}&apos;</source>
        <translation>按键 {key} 属于轨道“{name}”</translation>
    </message>
    <message>
        <source>the landmarks are uncertain (median score {score:.2f})</source>
        <translation>关键点不可靠（置信度中位数 {score:.2f}）</translation>
    </message>
    <message>
        <source>the lane &apos;exclude&apos; cannot be removed: remove its intervals instead</source>
        <translation>轨道“排除”不能移除：请改为移除其中的区间</translation>
    </message>
    <message>
        <source>the lane &apos;exclude&apos; keeps its name: exports leave out what is in it</source>
        <translation>轨道“排除”保留其名称：导出时会略去其中的内容</translation>
    </message>
    <message>
        <source>the lanes must have different names, and one must be &apos;exclude&apos;</source>
        <translation>轨道名称必须各不相同，且其中一个必须是“exclude”</translation>
    </message>
    <message>
        <source>the model card of {path} has typical scores of {given} landmarks, but the network has {count}: fit its scores again with &apos;steadymark-train calibrate-scores&apos;</source>
        <translation>{path} 的模型卡包含 {given} 个特征点的典型分数，但网络有 {count} 个：请用 steadymark-train calibrate-scores 重新拟合其分数</translation>
    </message>
    <message>
        <source>the name of expression settings has 1 to {most} printable characters</source>
        <translation>表情设置的名称须为 1 到 {most} 个可打印字符</translation>
    </message>
    <message>
        <source>the points need a correction that no person has (offset {offset:.0f}°, gain {gain:.2f}): check their times, and the signs and axes of their places</source>
        <translation>这些点所需的校正不符合任何人的情况（偏移 {offset:.0f}°，增益 {gain:.2f}）：请检查其时间以及位置的符号和坐标轴</translation>
    </message>
    <message>
        <source>the preset {path} cannot be deleted: {reason}</source>
        <translation>无法删除预设 {path}：{reason}</translation>
    </message>
    <message>
        <source>the project of {video} was made for a video of {made} pixels, and this one has {found}: put the project beside the video that it belongs to</source>
        <translation>{video} 的项目是为 {made} 像素的视频创建的，而此视频为 {found}：请将项目放在其所属视频的旁边</translation>
    </message>
    <message>
        <source>the pupils cannot be found (--no-pupils tracks without them): {fault}</source>
        <translation>无法检测瞳孔（--no-pupils 可不检测瞳孔进行跟踪）：{fault}</translation>
    </message>
    <message>
        <source>the results of {path} would have the name of the file of a further face in {other}: track them into different folders</source>
        <translation>{path} 的结果会与 {other} 中另一张人脸的文件同名：请跟踪到不同的文件夹</translation>
    </message>
    <message>
        <source>the stabilized landmarks tremble or the face moves very fast ({percent:.1f} % of the eye distance, faster than 5 Hz)</source>
        <translation>稳定后的点在颤动，或人脸运动极快（眼距的 {percent:.1f} %，快于 5 Hz）</translation>
    </message>
    <message>
        <source>the standard input is a pipe, and a video is read several times: write it into a file and track the file</source>
        <translation>标准输入是管道，而视频需要多次读取：请写入文件后再跟踪</translation>
    </message>
    <message>
        <source>the table has no gaze of the face {face_id}</source>
        <translation>表格中没有人脸 {face_id} 的视线</translation>
    </message>
    <message>
        <source>the table has no gaze: track the video with this version, with its eyes visible</source>
        <translation>表格中没有视线：请用此版本跟踪视频，并确保眼睛可见</translation>
    </message>
    <message>
        <source>the table has {count} landmarks, and it is not known which of them are the eye corners: track with a model whose schema is one of {known}</source>
        <translation>表格有 {count} 个关键点，但不知道哪些是眼角：请使用方案为以下之一的模型跟踪：{known}</translation>
    </message>
    <message>
        <source>the table was tracked with a gaze calibration: track the video again without one</source>
        <translation>该表格是用视线校准跟踪的：请不用校准重新跟踪视频</translation>
    </message>
    <message>
        <source>the timestamps decrease in 1 place: the latest timestamp is kept there</source>
        <translation>时间戳在 1 处递减：该处沿用最晚的时间戳</translation>
    </message>
    <message>
        <source>the {key} of &apos;{name}&apos; is no number</source>
        <translation>“{name}”的 {key} 不是数字</translation>
    </message>
    <message>
        <source>there is no shape &apos;{name}&apos;</source>
        <translation>没有名为“{name}”的形状</translation>
    </message>
    <message>
        <source>to the left of the picture</source>
        <translation>朝画面左侧</translation>
    </message>
    <message>
        <source>to the right of the picture</source>
        <translation>向画面右侧</translation>
    </message>
    <message>
        <source>upper lid raiser</source>
        <translation>上眼睑提升</translation>
    </message>
    <message>
        <source>upper lip raiser</source>
        <translation>上唇提升</translation>
    </message>
    <message>
        <source>{found} settings for {wanted} shapes</source>
        <translation>{wanted} 个形状却有 {found} 项设置</translation>
    </message>
    <message>
        <source>{name} has no face in this frame</source>
        <translation>{name} 在此帧中没有人脸</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}): check the name of the file of looked-at points</source>
        <translation>无法读取 {path}（{reason}）：请检查注视点文件的名称</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}): check the name of the gaze calibration</source>
        <translation>无法读取 {path}（{reason}）：请检查视线校准的文件名</translation>
    </message>
    <message>
        <source>{path} cannot be read: it must be a CSV file in UTF-8</source>
        <translation>无法读取 {path}：它必须是 UTF-8 编码的 CSV 文件</translation>
    </message>
    <message>
        <source>{path} has no points</source>
        <translation>{path} 中没有点</translation>
    </message>
    <message>
        <source>{path} holds no expression settings ({reason}): correct it, or choose another file</source>
        <translation>{path} 不含表情设置（{reason}）：请修正，或选择其他文件</translation>
    </message>
    <message>
        <source>{path} is no gaze calibration: make one with &apos;steadymark gaze-calibrate&apos;</source>
        <translation>{path} 不是视线校准：请用 steadymark gaze-calibrate 创建</translation>
    </message>
    <message>
        <source>{path} is not a pupil network: install Steadymark again, or restore the file</source>
        <translation>{path} 不是瞳孔网络：请重新安装 Steadymark，或恢复该文件</translation>
    </message>
    <message>
        <source>{path} must have the columns start_s, end_s, and either x_mm, y_mm, z_mm or angle_x_deg, angle_y_deg</source>
        <translation>{path} 须有列 start_s、end_s，以及 x_mm、y_mm、z_mm 或 angle_x_deg、angle_y_deg</translation>
    </message>
    <message>
        <source>{path}, line {line}: &apos;{value}&apos; in the column {name} is no number</source>
        <translation>{path}，第 {line} 行：列 {name} 中的“{value}”不是数字</translation>
    </message>
    <message>
        <source>{path}, line {line}: end_s is not after start_s</source>
        <translation>{path}，第 {line} 行：end_s 不在 start_s 之后</translation>
    </message>
    <message>
        <source>{side} not seen</source>
        <translation>{side}：不可见</translation>
    </message>
    <message>
        <source>{side} {x:.1f}, {y:.1f} px</source>
        <translation>{side} {x:.1f}, {y:.1f} px</translation>
    </message>
    <message>
        <source>{video} is not the file that {table} was made of: the landmarks may lie beside the face.</source>
        <translation>{video} 不是生成 {table} 的文件：关键点可能偏离人脸。</translation>
    </message>
    <message>
        <source>the {kind} &apos;{name}&apos; is registered twice</source>
        <translation>{kind}“{name}”被注册了两次</translation>
    </message>
    <message>
        <source>there is a lane called &apos;{name}&apos; already</source>
        <translation>已有名为“{name}”的轨道</translation>
    </message>
    <message>
        <source>there is no MediaPipe model file at &apos;{model_file}&apos;: give face_landmarker.task as mediapipe:FILE.task</source>
        <translation>“{model_file}”处没有 MediaPipe 模型文件：请以 mediapipe:FILE.task 的形式指定 face_landmarker.task</translation>
    </message>
    <message>
        <source>there is no annotation {number}</source>
        <translation>没有标注 {number}</translation>
    </message>
    <message>
        <source>there is no doubt called &apos;{name}&apos;: choose of {known}</source>
        <translation>没有名为“{name}”的疑点：可选 {known}</translation>
    </message>
    <message>
        <source>there is no image for frame {index}</source>
        <translation>第 {index} 帧没有图像</translation>
    </message>
    <message>
        <source>there is no lane called &apos;{name}&apos;: there are {known}</source>
        <translation>没有名为“{name}”的轨道：现有 {known}</translation>
    </message>
    <message>
        <source>tracking stopped after 1 frame: {error}</source>
        <translation>跟踪在 1 帧后停止：{error}</translation>
    </message>
    <message>
        <source>two annotations have the same number</source>
        <translation>两个标注的编号相同</translation>
    </message>
    <message>
        <source>unknown {kind} &apos;{name}&apos;: choose one of {known}</source>
        <translation>未知的 {kind}“{name}”：请从 {known} 中选择</translation>
    </message>
    <message>
        <source>uses a protocol that the installed FFmpeg lacks: use rtsp:// or http://</source>
        <translation>使用了已安装的 FFmpeg 不支持的协议：请使用 rtsp:// 或 http://</translation>
    </message>
    <message>
        <source>{element} lacks {name}</source>
        <translation>{element} 缺少 {name}</translation>
    </message>
    <message>
        <source>{one} and {other} are not merged, because both are in frame {frame}: a person has one face</source>
        <translation>{one} 和 {other} 未合并，因为两者都在第 {frame} 帧：一个人只有一张脸</translation>
    </message>
    <message>
        <source>{path} is there already: choose another name, or delete it</source>
        <translation>{path} 已存在：请选择其他名称，或将其删除</translation>
    </message>
    <message>
        <source>{place}: &apos;{text}&apos; is not a time</source>
        <translation>{place}：“{text}”不是时间</translation>
    </message>
    <message>
        <source>{video} is not a recording: its frames cannot be read</source>
        <translation>{video} 不是录像：无法读取其帧</translation>
    </message>
    <message>
        <source>{video} is not the file that {project} was made for: its annotations may be at other times</source>
        <translation>{video} 不是 {project} 所针对的文件：其标注的时间可能不同</translation>
    </message>
    <message>
        <source>it requires a user and a password: http://user:password@host/…</source>
        <translation>需要用户名和密码：http://user:password@host/…</translation>
    </message>
    <message>
        <source>was there enough memory?</source>
        <translation>内存是否足够？</translation>
    </message>
    <message>
        <source>its video was drawn in another or unknown way: tracked again</source>
        <translation>视频中绘制的内容不同或未知：重新跟踪</translation>
    </message>
    <message>
        <source>the tracked results of {source} do not fit this file: it has changed since; track it again</source>
        <translation>{source} 的跟踪结果与该文件不再匹配：文件已被修改，请重新跟踪</translation>
    </message>
    <message>
        <source>wire type {number}</source>
        <translation>线路类型 {number}</translation>
    </message>
    <message>
        <source>writing {path} failed: {error}</source>
        <translation>写入 {path} 失败：{error}</translation>
    </message>
    <message>
        <source>yaw</source>
        <translation>偏航</translation>
    </message>
    <message>
        <source>{count} damaged frames near {time} were kept as the decoder repaired them</source>
        <translation>{time} 附近有 {count} 帧损坏，已修复保留</translation>
    </message>
    <message>
        <source>{count} damaged frames were skipped near {time}</source>
        <translation>{time} 附近有 {count} 帧损坏，已跳过</translation>
    </message>
    <message>
        <source>{count} frames have no timestamp: they are placed between their neighbours</source>
        <translation>{count} 帧没有时间戳：已按相邻帧插值</translation>
    </message>
    <message>
        <source>{count} frames have the timestamp of the frame before them</source>
        <translation>{count} 帧与前一帧的时间戳相同</translation>
    </message>
    <message>
        <source>{count} images in {folder} are beside videos: name them to track them</source>
        <translation>{folder} 中的 {count} 个图像与视频在一起：如需跟踪请单独指定</translation>
    </message>
    <message>
        <source>{count} packets are damaged</source>
        <translation>{count} 个数据包已损坏</translation>
    </message>
    <message>
        <source>{fault}. &apos;Continue tracking&apos; skips it.</source>
        <translation>{fault}。“继续跟踪”会跳过此处。</translation>
    </message>
    <message>
        <source>{file} has {given} points, not {count}</source>
        <translation>{file} 有 {given} 个点，而不是 {count} 个</translation>
    </message>
    <message>
        <source>{file}: its name does not end in a frame number that no other file has</source>
        <translation>{file}：文件名末尾没有独立的帧号</translation>
    </message>
    <message>
        <source>{first}; {other}</source>
        <translation>{first}；{other}</translation>
    </message>
    <message>
        <source>{folder} contains no videos or images: choose another folder</source>
        <translation>{folder} 中没有视频或图片：请选择其他文件夹</translation>
    </message>
    <message>
        <source>{folder} cannot be read ({reason}): allow access to it</source>
        <translation>无权读取 {folder}（{reason}）：请授予权限</translation>
    </message>
    <message>
        <source>{key} &apos;{value}&apos; is a file, not a name</source>
        <translation>{key}“{value}”是文件，不是名称</translation>
    </message>
    <message>
        <source>{kind} needs the package {package}, which cannot be imported ({error}): pip install &apos;{wanted}&apos;</source>
        <translation>{kind} 需要软件包 {package}，但无法导入（{error}）：pip install &apos;{wanted}&apos;</translation>
    </message>
    <message>
        <source>{mode} is not a camera mode: write for example 1280x720@30</source>
        <translation>{mode} 不是摄像头模式：请写成例如 1280x720@30</translation>
    </message>
    <message>
        <source>{name} cannot be read and was skipped</source>
        <translation>{name} 无法读取，已跳过</translation>
    </message>
    <message>
        <source>{name} covers no frame that has ground truth: there is nothing to compare</source>
        <translation>{name} 不包含任何有真值的帧：没有可对比的内容</translation>
    </message>
    <message>
        <source>{name} fails when it runs: {reason}</source>
        <translation>{name} 运行时失败：{reason}</translation>
    </message>
    <message>
        <source>{name} returns landmarks that are not finite</source>
        <translation>{name} 给出的点不是有限数</translation>
    </message>
    <message>
        <source>{name} returns {outputs}: none of them holds {kinds} of {counts} landmarks</source>
        <translation>{name} 给出 {outputs}：其中没有 {counts} 个特征点的 {kinds}</translation>
    </message>
    <message>
        <source>{name} has no frames in the requested part: its frames lie from {first_s:.3f} s to {last_s:.3f} s</source>
        <translation>{name} 在所选部分没有帧：帧位于 {first_s:.3f} 秒到 {last_s:.3f} 秒</translation>
    </message>
    <message>
        <source>{name} has no model card: put {card} beside it, or make a model of it with &apos;steadymark add-model&apos;</source>
        <translation>{name} 没有模型卡：请将 {card} 放在其旁边，或用 &apos;steadymark add-model&apos; 将其制成模型</translation>
    </message>
    <message>
        <source>{name} has no output &apos;{output}&apos;: its outputs are {known}</source>
        <translation>{name} 没有输出“{output}”：它给出 {known}</translation>
    </message>
    <message>
        <source>{name} has {count} landmarks, {schema} has {wanted}: say with --landmarks which ones correspond, for example 36=27,45=32</source>
        <translation>{name} 有 {count} 个关键点，{schema} 有 {wanted} 个：请用 --landmarks 说明哪些相同，例如 36=27,45=32</translation>
    </message>
    <message>
        <source>{name} has {count} numbers: write one, or three (one per channel)</source>
        <translation>{name} 有 {count} 个数：请写一个，或三个（每个通道一个）</translation>
    </message>
    <message>
        <source>{name} has {end} frames, the video has {frames}: it belongs to another video</source>
        <translation>{name} 有 {end} 帧，视频有 {frames} 帧：它属于另一个视频</translation>
    </message>
    <message>
        <source>{name} has {given} landmarks: only tables with the {count} landmarks of {schema} can be scored</source>
        <translation>{name} 有 {given} 个关键点：只能评估含 {schema} 的 {count} 个关键点的表格</translation>
    </message>
    <message>
        <source>{name} holds no rows: there is nothing to compare</source>
        <translation>{name} 没有数据行：没有可对比的内容</translation>
    </message>
    <message>
        <source>{name} is &apos;{text}&apos;: choose one of {known}</source>
        <translation>{name} 为“{text}”：请从 {known} 中选择</translation>
    </message>
    <message>
        <source>{name} is &apos;{text}&apos;: write a number</source>
        <translation>{name} 为“{text}”：请写一个数</translation>
    </message>
    <message>
        <source>{name} is &apos;{text}&apos;: write a number, or three: 0.5,0.5,0.5</source>
        <translation>{name} 为“{text}”：请写一个数或三个数：0.5,0.5,0.5</translation>
    </message>
    <message>
        <source>{name} is not an ONNX model: choose a file that ends in .onnx</source>
        <translation>{name} 不是 ONNX 模型：请选择以 .onnx 结尾的文件</translation>
    </message>
    <message>
        <source>{name} needs future frames, and {what}: choose flow or one-euro</source>
        <translation>{name} 需要用到后面的帧，而{what}：请选择光流或 One Euro</translation>
    </message>
    <message>
        <source>{name} looks at frames to come, which a live view has not: its points stay raw. Choose the One Euro filter or a network.</source>
        <translation>{name} 需要用到后面的帧，而实时画面没有这些帧：关键点将保持原始状态。请选择 One Euro 滤波器或网络。</translation>
    </message>
    <message>
        <source>{name} takes longer than {most_s} s to run: use a smaller model, or fewer faces</source>
        <translation>{name} 运行超过 {most_s} 秒：请使用更小的模型，或减少人脸数量</translation>
    </message>
    <message>
        <source>{name} needs more than {most_gib} GiB of memory to run: use a smaller model, or fewer faces</source>
        <translation>{name} 运行时占用超过 {most_gib} GiB 内存：请使用较小的模型，或减少人脸数</translation>
    </message>
    <message>
        <source>the videos cannot be compared ({fault})</source>
        <translation>无法比较这些视频（{fault}）</translation>
    </message>
    <message>
        <source>there is no face to save: correct landmarks in a frame with a face first</source>
        <translation>没有可保存的人脸：请先在有人脸的帧中校正关键点</translation>
    </message>
    <message>
        <source>{count} images of different sizes are tracked independently: &apos;steadymark track --sequence&apos; tracks them as one sequence</source>
        <translation>{count} 张尺寸不同的图像将分别跟踪：“steadymark track --sequence”将它们作为一个序列跟踪</translation>
    </message>
    <message>
        <source>{count} images whose names do not differ in one number only are tracked independently: &apos;steadymark track --sequence&apos; tracks them as one sequence</source>
        <translation>{count} 张图像的文件名并非仅有一个数字不同，将分别跟踪：“steadymark track --sequence”将它们作为一个序列跟踪</translation>
    </message>
    <message>
        <source>{count} packets were sent to {target}</source>
        <translation>已向 {target} 发送 {count} 个数据包</translation>
    </message>
    <message>
        <source>{count} were dropped</source>
        <translation>丢弃了 {count} 个</translation>
    </message>
    <message>
        <source>{folder} holds no video with ground truth beside it: NAME_truth.csv, or a folder annot with .pts files</source>
        <translation>{folder} 中没有旁边带真值的视频：真值为 NAME_truth.csv，或含 .pts 文件的 annot 文件夹</translation>
    </message>
    <message>
        <source>{label} {degrees:+.1f}°</source>
        <translation>{label} {degrees:+.1f}°</translation>
    </message>
    <message>
        <source>{missing} of {count} image numbers are missing after {name}: frame numbers and times have gaps there</source>
        <translation>{name} 之后缺少 {count} 个图像编号中的 {missing} 个：帧号和时间在此处有间断</translation>
    </message>
    <message>
        <source>{name} cannot be split at this frame: go to the first frame of the new person</source>
        <translation>无法在此帧拆分 {name}：请转到新人物的第一帧</translation>
    </message>
    <message>
        <source>{name} has the landmarks of {theirs}, the model those of {ours}, and no map between the two is known: say with --landmarks which ones correspond, for example 36=27,45=32</source>
        <translation>{name} 的关键点属于 {theirs}，模型的属于 {ours}，两者之间没有已知的对应关系：请用 --landmarks 说明哪些关键点对应，例如 36=27,45=32</translation>
    </message>
    <message>
        <source>{name} has {count} landmarks, the schema {schema} has {wanted}: say another one with --schema</source>
        <translation>{name} 有 {count} 个关键点，方案 {schema} 有 {wanted} 个：请用 --schema 指定另一个方案</translation>
    </message>
    <message>
        <source>{name} takes images of any size: say with input-size which size it was trained on</source>
        <translation>{name} 接受任意尺寸的图像：请说明训练时的输入尺寸（input-size）</translation>
    </message>
    <message>
        <source>{name} takes images of {channels} channels: it must take {wanted} (colour; use layout nhwc if the channels come last)</source>
        <translation>{name} 接受 {channels} 个通道的图像：必须是 {wanted} 个（彩色；若通道在最后请用 layout nhwc）</translation>
    </message>
    <message>
        <source>{name} takes images of {found} × {found} pixels, not {given} × {given}</source>
        <translation>{name} 接受 {found} × {found} 像素的图像，而不是 {given} × {given}</translation>
    </message>
    <message>
        <source>{name} takes images of {shape}: crops of faces are square</source>
        <translation>{name} 接受 {shape} 的图像：人脸裁剪是正方形的</translation>
    </message>
    <message>
        <source>{name} takes {inputs}: it must take one image (n, 3, F, F) or (n, F, F, 3)</source>
        <translation>{name} 接受 {inputs}：必须接受一幅图像 (n, 3, F, F) 或 (n, F, F, 3)</translation>
    </message>
    <message>
        <source>{owner} has no parameter &apos;{name}&apos;: choose one of {known}</source>
        <translation>{owner} 没有参数“{name}”：请从 {known} 中选择</translation>
    </message>
    <message>
        <source>{owner}&apos;s {name} must be a whole number, not {value:g}</source>
        <translation>{owner} 的 {name} 必须是整数，而不是 {value:g}</translation>
    </message>
    <message>
        <source>{owner}&apos;s {name} must be {first:g}, {second:g}, {third:g} and so on, not {value:g}</source>
        <translation>{owner} 的 {name} 必须是 {first:g}、{second:g}、{third:g} 等，而不是 {value:g}</translation>
    </message>
    <message>
        <source>{owner}&apos;s {name} must be {range_text}, not {value:g}</source>
        <translation>{owner} 的 {name} 必须是 {range_text}，而不是 {value:g}</translation>
    </message>
    <message>
        <source>{path!r} cannot be opened: {error}</source>
        <translation>无法打开 {path!r}：{error}</translation>
    </message>
    <message>
        <source>{path!r} has a name that is not valid text: rename the file</source>
        <translation>{path!r} 的名称不是文本：请重命名该文件</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}): check it</source>
        <translation>无法读取 {path}（{reason}）：请检查该文件</translation>
    </message>
    <message>
        <source>{path} cannot be read: choose another one</source>
        <translation>无法读取 {path}：请选择另一个</translation>
    </message>
    <message>
        <source>{path} cannot be read: {reason}</source>
        <translation>无法读取 {path}：{reason}</translation>
    </message>
    <message>
        <source>{path} cannot be run: it is not an ONNX file ({error})</source>
        <translation>无法运行 {path}：不是 ONNX 文件（{error}）</translation>
    </message>
    <message>
        <source>{path} cannot be run: {reason}</source>
        <translation>无法运行 {path}：{reason}</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}</source>
        <translation>无法写入 {path}：{reason}</translation>
    </message>
    <message>
        <source>{path} could not be tracked ({kind}: {error})</source>
        <translation>无法跟踪 {path}（{kind}: {error}）</translation>
    </message>
    <message>
        <source>{path} could not be completed in time</source>
        <translation>{path} 未能及时写完</translation>
    </message>
    <message>
        <source>{path} does not exist: check the name and the folder</source>
        <translation>{path} 不存在：请检查名称和文件夹</translation>
    </message>
    <message>
        <source>{path} exists already</source>
        <translation>{path} 已存在</translation>
    </message>
    <message>
        <source>{path} exists already: use --overwrite to replace it, or --resume to keep it and go on with the other files</source>
        <translation>{path} 已存在：用 --overwrite 替换，或用 --resume 保留并继续处理其他文件</translation>
    </message>
    <message>
        <source>{path} matches no video: check the pattern</source>
        <translation>没有与 {path} 匹配的视频：请检查通配符</translation>
    </message>
    <message>
        <source>{path} has frames 0 to {last}, not {index}</source>
        <translation>{path} 有第 0 到 {last} 帧，没有第 {index} 帧</translation>
    </message>
    <message>
        <source>{path} has several faces in a frame: ground truth must have one face</source>
        <translation>{path} 的一帧中有多张人脸：真值只能是一张人脸</translation>
    </message>
    <message>
        <source>{path} has {count} numbers in a row: landmarks need an even number (x and y)</source>
        <translation>{path} 每行有 {count} 个数：x 和 y 须成对</translation>
    </message>
    <message>
        <source>{path} has {given} landmarks: the window compares all {count} landmarks of {name}; &apos;steadymark evaluate --landmarks&apos; also compares some of them</source>
        <translation>{path} 有 {given} 个关键点：窗口对比 {name} 的全部 {count} 个，“steadymark evaluate --landmarks”可只对比其中一部分</translation>
    </message>
    <message>
        <source>{path} contains no frames, it is truncated or empty: copy it again</source>
        <translation>{path} 不含任何帧，文件被截断或为空：请重新复制</translation>
    </message>
    <message>
        <source>{path} contains no images: choose a file with a video track</source>
        <translation>{path} 不含画面：请选择带视频轨的文件</translation>
    </message>
    <message>
        <source>{path} contains no points</source>
        <translation>{path} 不含任何点</translation>
    </message>
    <message>
        <source>{path} contains no rows</source>
        <translation>{path} 没有数据行</translation>
    </message>
    <message>
        <source>{path} contains sound but no images: choose a file with a video track</source>
        <translation>{path} 只有声音，没有画面：请选择带视频轨的文件</translation>
    </message>
    <message>
        <source>{path} has 1 number in a row: landmarks need an even number (x and y)</source>
        <translation>{path} 的一行有 1 个数：关键点需要偶数个（x 和 y）</translation>
    </message>
    <message>
        <source>{path} has 1 row, of frame {last}: check its frame numbers</source>
        <translation>{path} 有 1 行，是第 {last} 帧：请检查帧号</translation>
    </message>
    <message>
        <source>{path} has {count} rows, the last of frame {last}: check its frame numbers</source>
        <translation>{path} 有 {count} 行，最后一行是第 {last} 帧：请检查帧号</translation>
    </message>
    <message>
        <source>{path} is a folder: give a video file in it</source>
        <translation>{path} 是文件夹：请选择其中的视频文件</translation>
    </message>
    <message>
        <source>{path} is a link to nothing</source>
        <translation>{path} 是一个失效的链接</translation>
    </message>
    <message>
        <source>{path} is a list that names other files: open the video itself</source>
        <translation>{path} 是指向其他文件的列表：请直接打开视频</translation>
    </message>
    <message>
        <source>{path} is being written by another program: wait until it has ended, or choose another folder</source>
        <translation>另一个程序正在写入 {path}：请等待其结束，或选择其他文件夹</translation>
    </message>
    <message>
        <source>{path} has a codec that cannot be decoded: convert it to H.264 in MP4</source>
        <translation>{path} 的编码在此无法解码：请转换为 MP4 (H.264)</translation>
    </message>
    <message>
        <source>{path} is empty (0 bytes): copy or record it again</source>
        <translation>{path} 为空（0 字节）：请重新复制或录制</translation>
    </message>
    <message>
        <source>{path} is incomplete: its index (moov) is missing, for example because a recording or a copy was interrupted; copy it again or repair it</source>
        <translation>{path} 不完整：缺少索引 (moov)，常见于录制或复制中断；请重新复制或修复</translation>
    </message>
    <message>
        <source>{path} is not a landmark model: it lacks {names}</source>
        <translation>{path} 不是关键点模型：缺少 {names}</translation>
    </message>
    <message>
        <source>{path} is not a landmark model: its crops are {crops}</source>
        <translation>{path} 不是关键点模型：其裁剪区域 (crops) 为 {crops}</translation>
    </message>
    <message>
        <source>{path} is not a landmark model: its {name} is {sides}</source>
        <translation>{path} 不是关键点模型：其 {name} 为 {sides}</translation>
    </message>
    <message>
        <source>{path} is not a preset ({fault}): correct it, or delete it from its folder</source>
        <translation>{path} 不是有效的预设（{fault}）：请修正，或将其从文件夹中删除</translation>
    </message>
    <message>
        <source>{path} is not a table of ground truth ({error})</source>
        <translation>{path} 不是关键点真值表（{error}）</translation>
    </message>
    <message>
        <source>{path} is not a Steadymark model card (it is nested too deeply)</source>
        <translation>{path} 不是 Steadymark 模型卡（嵌套过深）</translation>
    </message>
    <message>
        <source>{path} is not a Steadymark model card ({error})</source>
        <translation>{path} 不是 Steadymark 模型卡（{error}）</translation>
    </message>
    <message>
        <source>{path} is not a video that can be read: check that it plays, or convert it to MP4</source>
        <translation>{path} 不是可读取的视频：请检查能否播放，或将其转换为 MP4</translation>
    </message>
    <message>
        <source>{path} exists, and no index says that it was tracked: use --overwrite to replace it, or choose another folder</source>
        <translation>{path} 已存在，但无法确认它是跟踪结果：请用 --overwrite 替换，或选择其他文件夹</translation>
    </message>
    <message>
        <source>a result would have the name of the input {path} and replace it: choose another folder for the results</source>
        <translation>{path} 本身会被同名结果替换：请为结果选择其他文件夹</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}): ask for permission or copy it</source>
        <translation>无权读取 {path}（{reason}）：请获取权限，或复制该文件</translation>
    </message>
    <message>
        <source>{path} cannot be read: ask for permission or copy it</source>
        <translation>无权读取 {path}：请获取权限，或复制该文件</translation>
    </message>
    <message>
        <source>{path} says that its frames are {width}x{height}, more than {millions} million pixels: convert it to smaller ones</source>
        <translation>{path} 声明的画面为 {width}x{height}，超过 {millions} 百万像素：请转换为较小的画面</translation>
    </message>
    <message>
        <source>{path} reads data from other files, which its model card cannot verify: save it as one file (onnx.save, save_as_external_data=False)</source>
        <translation>{path} 使用了其他文件中的数据，其模型卡无法为之担保：请保存为单个文件（onnx.save, save_as_external_data=False）</translation>
    </message>
    <message>
        <source>{path} was closed: open it again</source>
        <translation>{path} 已关闭：请重新打开</translation>
    </message>
    <message>
        <source>{path}, line 1: column &apos;{column}&apos; is missing</source>
        <translation>{path}，第 1 行：缺少列“{column}”</translation>
    </message>
    <message>
        <source>{path}, row {row} below the columns, column &apos;{name}&apos;: {value:g} is not a whole number from {least}</source>
        <translation>{path}，列名下第 {row} 行，列“{name}”：{value:g} 不是从 {least} 起的整数</translation>
    </message>
    <message>
        <source>{path}, {fault}</source>
        <translation>{path}，{fault}</translation>
    </message>
    <message>
        <source>{path}: column &apos;frame&apos; must hold each number from 0 once</source>
        <translation>{path}：列“frame”须包含从 0 起的每个数各一次</translation>
    </message>
    <message>
        <source>{path}: frame {number} ({name}) cannot be converted to an image: convert the file to H.264 in MP4</source>
        <translation>{path}：第 {number} 帧（{name}）无法转换为图像：请将文件转换为 MP4 (H.264)</translation>
    </message>
    <message>
        <source>{path}: frame {number} at {time} is damaged: choose another one</source>
        <translation>{path}：{time} 处的第 {number} 帧已损坏：请选择另一帧</translation>
    </message>
    <message>
        <source>{path}: no frame can be decoded, the file is damaged or truncated: copy it again</source>
        <translation>{path}：没有一帧可以解码，文件已损坏或被截断：请重新复制</translation>
    </message>
    <message>
        <source>{path}: {count} lines contain &apos;{brace}&apos; instead of one</source>
        <translation>{path}：有 {count} 行“{brace}”，应只有一行</translation>
    </message>
    <message>
        <source>{path}: it has {count} points instead of {wanted}</source>
        <translation>{path}：有 {count} 个点，应有 {wanted} 个</translation>
    </message>
    <message>
        <source>the gaze calibration of the person {person} is not possible: its values are wrong</source>
        <translation>人物 {person} 的视线校准不可用：其数值有误</translation>
    </message>
    <message>
        <source>the project corrects landmark {landmark} of face {face} in frame {frame}, and the landmarks are 0 to {last}: remove this correction</source>
        <translation>项目修正了第 {frame} 帧中面孔 {face} 的关键点 {landmark}，而关键点为 0 到 {last}：请移除该修正</translation>
    </message>
    <message>
        <source>there are also {files}, of an earlier run or another video: delete what you do not need</source>
        <translation>还有 {files}，来自之前的运行或其他视频：请删除不需要的文件</translation>
    </message>
    <message>
        <source>upwards</source>
        <translation>向上</translation>
    </message>
    <message>
        <source>{degrees:.1f}° {direction}</source>
        <translation>{degrees:.1f}° {direction}</translation>
    </message>
    <message>
        <source>{name} moves in the half second from {time:.2f} s on ({shape} changes by {change:.2f}): choose a moment in which the face is at rest</source>
        <translation>{name} 在 {time:.2f} 秒起的半秒内有动作（{shape} 变化 {change:.2f}）：请选择面部静止的时刻</translation>
    </message>
    <message>
        <source>{path} has no table of landmarks beside it: track it first (steadymark track {path} --out {folder}), or name the table</source>
        <translation>{path} 旁边没有关键点表格：请先跟踪（steadymark track {path} --out {folder}），或指定表格</translation>
    </message>
    <message>
        <source>{path} is a device and not a file: a camera is opened as camera:{path}</source>
        <translation>{path} 是设备而不是文件：请用 camera:{path} 打开摄像头</translation>
    </message>
    <message>
        <source>{path} is a link that leads to no file: name the file itself, or correct the link</source>
        <translation>{path} 是未指向任何文件的链接：请指定文件本身，或修正该链接</translation>
    </message>
    <message>
        <source>{path} is a pipe, and a video is read several times: write it into a file, for example by &apos;cat {path} &gt; video.mp4&apos;, and track the file</source>
        <translation>{path} 是管道，而视频需要多次读取：请写入文件，例如 &apos;cat {path} &gt; video.mp4&apos;，然后跟踪该文件</translation>
    </message>
    <message>
        <source>{path} is a video with the name of an image: rename it, for example to .mp4</source>
        <translation>{path} 是使用图像文件名的视频：请重命名，例如改为 .mp4</translation>
    </message>
    <message>
        <source>{path} is not JSON ({error}): restore it from a copy, or delete it to begin a new project</source>
        <translation>{path} 不是 JSON（{error}）：请从副本恢复，或删除它以新建项目</translation>
    </message>
    <message>
        <source>{path} is not a project of Steadymark: it lacks &apos;{magic}&apos;</source>
        <translation>{path} 不是 Steadymark 的项目：缺少“{magic}”</translation>
    </message>
    <message>
        <source>{path} is open in another window or program: close it there to edit it here</source>
        <translation>{path} 已在另一窗口或程序中打开：请在那里关闭，才能在此编辑</translation>
    </message>
    <message>
        <source>{path} is there already: choose to replace it, or another folder</source>
        <translation>{path} 已存在：请选择替换，或选择其他文件夹</translation>
    </message>
    <message>
        <source>{path} lacks the output {name} that its model card needs: fit its scores again with &apos;steadymark-train calibrate-scores&apos;</source>
        <translation>{path} 缺少其模型卡所需的输出 {name}：请用 steadymark-train calibrate-scores 重新拟合其分数</translation>
    </message>
    <message>
        <source>{path} was written by a newer version ({version}): update Steadymark to open it</source>
        <translation>{path} 由更新的版本（{version}）写入：请更新 Steadymark 后打开</translation>
    </message>
    <message>
        <source>{path}: {error}</source>
        <translation>{path}：{error}</translation>
    </message>
    <message>
        <source>{path}: {fault}</source>
        <translation>{path}：{fault}</translation>
    </message>
    <message>
        <source>{path}: {why}, but the list of results must be written to a file of that name: move it away, or choose another folder</source>
        <translation>{path}：{why}，而结果要记录在同名文件中：请将其移走，或选择其他文件夹</translation>
    </message>
    <message>
        <source>{percent:.0f} % of the landmarks hidden</source>
        <translation>{percent:.0f} % 的关键点被遮挡</translation>
    </message>
    <message>
        <source>{shown} answers but sends no frames: check the camera</source>
        <translation>{shown} 有响应，但没有发送画面：请检查摄像头</translation>
    </message>
    <message>
        <source>{shown}: none of the images can be read: check the files</source>
        <translation>{shown}：所有图片都无法读取：请检查文件</translation>
    </message>
    <message>
        <source>{source} is live: give a recorded video with --data</source>
        <translation>{source} 是实时来源：请用 --data 指定已录制的视频</translation>
    </message>
    <message>
        <source>{start}… cannot be the name of a file: shorten or correct it</source>
        <translation>{start}… 不能作为文件名：请缩短或更正</translation>
    </message>
    <message>
        <source>{table} cannot be read ({fault})</source>
        <translation>无法读取 {table}（{fault}）</translation>
    </message>
    <message>
        <source>{table} does not fit {video}: it begins at frame {first}, and the video has {frames} frames</source>
        <translation>{table} 与 {video} 不符：表格从第 {first} 帧开始，而视频有 {frames} 帧</translation>
    </message>
    <message>
        <source>{table} does not fit {video}: its faces lie outside the picture of {width} × {height} pixels</source>
        <translation>{table} 与 {video} 不符：其人脸位于 {width} × {height} 像素的画面之外</translation>
    </message>
    <message>
        <source>{table} has more faces than a video can show: check its column &apos;face_id&apos;</source>
        <translation>{table} 的人脸数多于视频可显示的数量：请检查其“face_id”列</translation>
    </message>
    <message>
        <source>{table} has more frames than {video}: those after frame {last} are not shown.</source>
        <translation>{table} 的帧数多于 {video}：第 {last} 帧之后的帧不显示。</translation>
    </message>
    <message>
        <source>{table} has no rows: there is nothing to show</source>
        <translation>{table} 没有任何行：没有可显示的内容</translation>
    </message>
    <message>
        <source>{table} has other landmarks ({found}) than what is shown ({shown}): they cannot be compared</source>
        <translation>{table} 的关键点（{found}）与所显示的（{shown}）不同：无法比较</translation>
    </message>
    <message>
        <source>{table} has {count} landmarks, and it is not known which ones: the window shows {known}</source>
        <translation>{table} 有 {count} 个关键点，但不知道是哪些：窗口可显示 {known}</translation>
    </message>
    <message>
        <source>{table}: its video was not found, so that the report shows no pictures</source>
        <translation>{table}：未找到对应的视频，因此报告中没有图片</translation>
    </message>
    <message>
        <source>{target} takes iBUG&apos;s 68 landmarks, and this model has {count}: choose another model</source>
        <translation>{target} 需要 iBUG 的 68 个关键点，而此模型有 {count} 个：请选择其他模型</translation>
    </message>
    <message>
        <source>{text} contains {count} videos: open one of them</source>
        <translation>{text} 中有 {count} 个视频：请打开其中一个</translation>
    </message>
    <message>
        <source>{text} is live: a start and an end can only be given for files</source>
        <translation>{text} 是实时来源：起点和终点只适用于文件</translation>
    </message>
    <message>
        <source>{text} is live: track it with &apos;steadymark track {text}&apos;</source>
        <translation>{text} 是实时来源：请用“steadymark track {text}”跟踪</translation>
    </message>
    <message>
        <source>{text} is not a recording: open a video file or a folder of images</source>
        <translation>{text} 不是录像：请打开视频文件或图片文件夹</translation>
    </message>
    <message>
        <source>{text} is not a camera: a camera mode cannot be given for it</source>
        <translation>{text} 不是摄像头：不能使用摄像头模式</translation>
    </message>
    <message>
        <source>{path}, line {number}: &apos;{text}&apos; is not a point: write x and y in pixels</source>
        <translation>{path} 第 {number} 行：“{text}”不是点：请写 x 和 y（像素）</translation>
    </message>
    <message>
        <source>{path}: it has 1 point instead of {wanted}</source>
        <translation>{path}：有 1 个点，应为 {wanted} 个</translation>
    </message>
    <message>
        <source>{percent:.0f} % of the frames lack the face</source>
        <translation>{percent:.0f} % 的帧缺少该人脸</translation>
    </message>
    <message>
        <source>{seen} faces were seen in {name}, and 1 of them is tracked.</source>
        <translation>在 {name} 中看到 {seen} 张人脸，只跟踪其中 1 张。</translation>
    </message>
    <message>
        <source>{seen} faces were seen in {name}, and {count} of them are tracked.</source>
        <translation>在 {name} 中看到 {seen} 张人脸，只跟踪其中 {count} 张。</translation>
    </message>
    <message>
        <source>{sentence} Try a lower threshold or another detector in the settings under Faces, or a video in which the face is upright, larger and sharper.</source>
        <translation>{sentence} 请在设置的“人脸”中降低阈值或更换检测器，或使用人脸端正、更大、更清晰的视频。</translation>
    </message>
    <message>
        <source>{text} is not a video file: --deinterlace and --rotate need one</source>
        <translation>{text} 不是视频文件：--deinterlace 和 --rotate 仅用于视频文件</translation>
    </message>
    <message>
        <source>{truth} has no face that lies wholly in the image: there is nothing to compare</source>
        <translation>{truth} 中没有完全位于画面内的人脸：没有可对比的内容</translation>
    </message>
    <message>
        <source>{url} is a recording and no live stream: download it, for example by &apos;ffmpeg -i ADDRESS -c copy FILE.mp4&apos;, and track the file</source>
        <translation>{url} 是录像而不是直播流：请先下载，例如使用 &apos;ffmpeg -i ADDRESS -c copy FILE.mp4&apos;，然后跟踪该文件</translation>
    </message>
    <message>
        <source>{url} sends no frames: check the address</source>
        <translation>{url} 没有发送画面：请检查地址</translation>
    </message>
    <message>
        <source>{url}: {scheme}:// is not supported: use rtsp://, rtmp:// or http://</source>
        <translation>{url}：不支持 {scheme}://：请使用 rtsp://、rtmp:// 或 http://</translation>
    </message>
    <message>
        <source>{url}: {why}</source>
        <translation>{url}：{why}</translation>
    </message>
    <message>
        <source>{values} values for {columns} columns</source>
        <translation>{columns} 列却有 {values} 个值</translation>
    </message>
</context>
<context>
    <name>start</name>
    <message>
        <source>An unexpected error occurred ({fault}). The tracked results are kept. Help &gt; Copy diagnostics tells more: please report it.</source>
        <translation>发生意外错误（{fault}）。跟踪结果已保留。“帮助 &gt; 复制诊断信息”提供更多内容：请反馈给我们。</translation>
    </message>
</context>
<context>
    <name>time_left</name>
    <message>
        <source>about {seconds} s left</source>
        <translation>剩余约 {seconds} 秒</translation>
    </message>
    <message>
        <source>about {minutes} min left</source>
        <translation>剩余约 {minutes} 分钟</translation>
    </message>
    <message>
        <source>about {hours} h {minutes} min left</source>
        <translation>剩余约 {hours} 小时 {minutes} 分钟</translation>
    </message>
</context>
<context>
    <name>wiring</name>
    <message>
        <source>A live view shows only the newest frame: to do this, record it and open the recording.</source>
        <translation>实时画面只显示最新的图像：如需此功能，请先录制，再打开录像。</translation>
    </message>
</context>
</TS>
