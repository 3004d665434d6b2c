"""The only SQL: alerts, deliveries, monitors and the baseline, in one file that several processes may share.

What belongs here: tables, transactions and the translation of every database failure into `StoreError`. What does not:
any decision about what is stored.
"""
