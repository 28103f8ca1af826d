"""stub"""

from stancewire.batch.rows import Row


class Copies:
    def marked(self, row: Row) -> Row:
        return row


def find_copies(rows, columns):
    return Copies()
