#!/usr/bin/env python3
"""Puts TLS in front of the mock server: tls_front.py MOCK_PORT CERT KEY. Prints its port; ends with its parent's standard input or after two minutes."""
import socket, ssl, sys, threading, time, os

def pump(a, b):
    try:
        while (data := a.recv(65536)): b.sendall(data)
    except OSError: pass
    for s in (a, b):
        try: s.shutdown(socket.SHUT_RDWR)
        except OSError: pass

def serve(raw, context, port):
    try: front = context.wrap_socket(raw, server_side=True)
    except (OSError, ssl.SSLError): raw.close(); return
    back = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=pump, args=(back, front), daemon=True).start()
    pump(front, back)

def accept(listener, context, port):
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw, context, port), daemon=True).start()

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
listener = socket.create_server(("127.0.0.1", 0), backlog=256)
print(listener.getsockname()[1], flush=True)
threading.Thread(target=accept, args=(listener, context, int(sys.argv[1])), daemon=True).start()
threading.Timer(120, lambda: os._exit(0)).start()
sys.stdin.read()
os._exit(0)
