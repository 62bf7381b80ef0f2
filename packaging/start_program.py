"""What the frozen program runs. Worker processes run it, too."""

import multiprocessing

if __name__ == "__main__":
    multiprocessing.freeze_support()  # before anything else: it runs what a worker process is for

    from steadymark.app.cli.main import main

    main()
