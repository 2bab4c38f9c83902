"""The exchange alone on a port: python -m simulated_exchange --help."""

from simulated_exchange.server import command

if __name__ == "__main__":
    command.run()
