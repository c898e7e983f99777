"""What a person sees in the terminal: progress while it runs, then a leaderboard worth reading."""

from piste.terminal.board import Leaderboard
from piste.terminal.next_steps import print_next_steps
from piste.terminal.outlook import plan_table
from piste.terminal.paper import paper
from piste.terminal.progress import Screen
from piste.terminal.summary import summary

__all__ = ["Leaderboard", "Screen", "paper", "plan_table", "print_next_steps", "summary"]
