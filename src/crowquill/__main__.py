"""`python -m crowquill` and the `crowquill` command."""

from crowquill.agent.cli.main import main

if __name__ == "__main__":
    main()
