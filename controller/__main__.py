"""`python -m controller` is `orgctl`."""

from controller.cli import main

if __name__ == "__main__":
    main()
