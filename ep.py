import os,sys,time,numpy as np,statistics as st
os.sched_setaffinity(0,{0})
import onnxruntime as ort
print(ort.__version__, ort.get_available_providers())
W="/work/wt/fewer/assets/weights/"
c=np.load("/tmp/fw/still.npy"); x=np.ascontiguousarray(c.transpose(0,3,1,2))[:1]
o=ort.SessionOptions(); o.intra_op_num_threads=1;o.inter_op_num_threads=1;o.log_severity_level=3
S={"cpu":ort.InferenceSession(W+"heatmap1d-lite.onnx",o,providers=["CPUExecutionProvider"])}
for p in ("FP32","ACCURACY"):
  try: S[p]=ort.InferenceSession(W+"heatmap1d-lite.onnx",o,providers=[("OpenVINOExecutionProvider",{"device_type":"CPU","num_of_threads":"1","precision":p})])
  except Exception as e: print(p,str(e)[:300])
T={k:[] for k in S}
w=["points","scores","face","visible"]
for i in range(45):
    for k,s in S.items():
        s.run(w,{"crops":x}); t=time.process_time()
        for _ in range(3): s.run(w,{"crops":x})
        T[k].append((time.process_time()-t)/3*1e3)
print({k:(st.median(v[5:]),np.quantile(v[5:],.25)) for k,v in T.items()},[s.get_providers() for s in S.values()])
