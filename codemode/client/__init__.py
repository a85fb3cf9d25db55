"""The clients of the HTTP service: the calls of `Worker` and `Session` from anywhere, with the same answers and errors.

ask.py            one request and how its answer is read, as data; nothing here touches a socket
calls.py …        every call of a session as such a pair
attempts.py       what may be sent again, and when
connection.py     two thin transports, blocking and not
client.py …       what users see, twice: `Client` and `AsyncClient`
"""
