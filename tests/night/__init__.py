"""Whole nights: real processes, real HTTP and web sockets, a real Temporal, and a telephone network beside them."""
