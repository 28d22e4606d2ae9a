#!/bin/sh
# Stands in for llama-server in tests: takes its arguments (-m FILE --host H --port P ...) and serves them with the mock server.
# QUERN_STAND_IN=fail ends with a message, as a server does that cannot read its model.
port= file=
while [ $# -gt 0 ]; do
    case "$1" in
        --port) port=$2; shift ;;
        -m) file=$2; shift ;;
        --host) shift ;;
    esac
    shift
done
[ "$QUERN_STAND_IN" != fail ] || { echo "error: failed to load model '$file'" >&2; exit 1; }
sleep 0.2
exec "$QUERN_MOCK" --port "$port" --seconds 60 --reply "local says {{user}}"
