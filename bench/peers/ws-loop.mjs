// The simplest server on ws: a loop of send() over the members. Usage: node ws-loop.mjs PORT
import { WebSocketServer } from 'ws';

const groups = new Map();
const server = new WebSocketServer({ port: Number(process.argv[2]), perMessageDeflate: false });

server.on('connection', (ws) => {
  const joined = new Set();
  ws.on('message', (data) => {
    const { cmd, group_id: name, id, message } = JSON.parse(data);
    if (cmd === 'send_to_group') {
      for (const member of groups.get(name) ?? []) member.send(message);
      return;
    }
    let members = groups.get(name);
    if (members === undefined) {
      members = new Set();
      groups.set(name, members);
    }
    members.add(ws);
    joined.add(members);
    ws.send(JSON.stringify({ type: 'ack', id }));
  });
  ws.on('error', () => {});
  ws.on('close', () => {
    for (const members of joined) members.delete(ws);
  });
});
