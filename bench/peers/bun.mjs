// Bun's native publish. Usage: bun bun.mjs PORT
const server = Bun.serve({
  port: Number(process.argv[2]),
  fetch: (request, bun) => (bun.upgrade(request) ? undefined : new Response('', { status: 400 })),
  websocket: {
    perMessageDeflate: false,
    publishToSelf: true,
    message(ws, data) {
      const { cmd, group_id: name, id, message } = JSON.parse(data);
      if (cmd === 'send_to_group') {
        server.publish(name, message);
        return;
      }
      ws.subscribe(name);
      ws.send(JSON.stringify({ type: 'ack', id }));
    },
  },
});
