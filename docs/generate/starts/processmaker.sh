{
  cp -R "$EXAMPLES/processmaker" . && cd processmaker && rm -rf .live
  # Ports of this page's own, as others may be at it on the same machine.
  ports=$(python3 -c 'import socket; s = [socket.create_server(("127.0.0.1", 0)) for _ in "ab"]; print(*(one.getsockname()[1] for one in s))')
  sed -i "s/18481/${ports% *}/; s/18482/${ports#* }/" reconciler.yaml connectors/stock.yaml
  git init -q -b main && git add -A && git commit -q -m "Connectors of the CRM and of our suppliers"
  python3 ./serve </dev/null &
  trap 'kill %1; wait' EXIT
  until [ -s .live/environment ]; do sleep 0.05; done
} >/dev/null 2>&1
