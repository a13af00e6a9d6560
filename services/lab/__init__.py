"""What is made of histories: reading a school year, the backtest's page and files, labels. Knows no command."""
