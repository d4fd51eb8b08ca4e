/**
 * The part of the welcome page's script that speaks `groupcast.v1`. It knows no document:
 * `openConnection(address, groups, show)` keeps one WebSocket open, joins `groups`, and tells
 * `show` what to put on the page.
 *
 * - `show.state(name, text)`: name is `connecting`, `connected`, `waiting` or `closed`.
 * - `show.clientId(text)`, `show.groups(names)`
 * - `show.line(kind, facts, text, own)`: kind is `message`, `ack`, `error` or `info`.
 *
 * It is text, not a function, because a bundler rewrites functions, and the page's content security
 * policy holds a hash of these very characters. It must contain no backtick, no backslash and no
 * closing script tag.
 */
export const WELCOME_CONNECTION_SCRIPT: string = `
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 20000;
const RECONNECT_AFTER_MAX_MS = 600000;
const WELCOME_WAIT_MS = 10000;
const COMMANDS_PENDING_MAX = 256;
const TEXT_CHARS_MAX = 2000;

function printable(value) {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
  return text.length > TEXT_CHARS_MAX ? text.slice(0, TEXT_CHARS_MAX) + '…' : text;
}

function openConnection(address, groups, show) {
  const joined = new Set(groups);
  const pending = new Map();
  let socket;
  let clientId;
  let lastCommandId = 0;
  let attempt = 0;
  let welcomedAt = Infinity;
  let farewell;
  let silenceMs;
  let silenceTimer;

  function dial() {
    farewell = undefined;
    welcomedAt = Infinity;
    silenceMs = WELCOME_WAIT_MS;
    show.state('connecting', 'connecting');
    const mine = new WebSocket(address, 'groupcast.v1');
    socket = mine;
    mine.onmessage = (event) => { if (socket === mine) receive(event.data); };
    mine.onclose = (event) => { if (socket === mine) lost(event.code); };
    awaitTraffic();
  }

  // A peer that vanished without a close is noticed only by its silence.
  function awaitTraffic() {
    clearTimeout(silenceTimer);
    if (!(silenceMs > 0)) return;
    silenceTimer = setTimeout(() => {
      const silent = socket;
      show.line('error', ['error', 'silence'], 'Nothing came from the gateway in time.');
      lost(1006);
      silent.close();
    }, silenceMs);
  }

  function lost(code) {
    clearTimeout(silenceTimer);
    socket = undefined;
    clientId = undefined;
    show.clientId('');
    settlePending();
    const final = farewell ? farewell.reconnect === false : code >= 4500 && code <= 4999;
    if (final) {
      show.state('closed', 'closed (' + code + '), reload the page to try again');
      return;
    }
    const delayMs = reconnectDelayMs();
    show.state('waiting', 'reconnecting in ' + (delayMs / 1000).toFixed(1) + ' s');
    setTimeout(dial, delayMs);
  }

  function reconnectDelayMs() {
    // Only a connection that lasted starts the backoff afresh, or a gateway that closes at once
    // would be dialled without end.
    if (performance.now() - welcomedAt > BACKOFF_MAX_MS) attempt = 0;
    const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt);
    attempt += 1;
    const toldMs = farewell?.reconnect_after_ms;
    return toldMs >= 0 ? Math.min(toldMs, RECONNECT_AFTER_MAX_MS) : Math.random() * ceilingMs;
  }

  // Commands that were under way when the connection broke: what was wanted counts for groups, a
  // message's fate is unknown.
  function settlePending() {
    for (const { cmd, group } of pending.values()) {
      if (cmd === 'add_group') joined.add(group);
      else if (cmd === 'leave_group') joined.delete(group);
      else show.line('error', ['error', 'outcome_unknown'], 'The connection broke before group ' + group + ' answered.');
    }
    pending.clear();
    show.groups(joined);
  }

  function command(cmd, group, message) {
    if (socket?.readyState !== WebSocket.OPEN || clientId === undefined) {
      show.line('error', ['error', 'not_connected'], 'Wait until the pane is connected.');
    } else if (pending.size >= COMMANDS_PENDING_MAX) {
      show.line('error', ['error', 'too_many_pending'], 'Wait until earlier commands are answered.');
    } else {
      lastCommandId += 1;
      pending.set(lastCommandId, { cmd, group });
      socket.send(JSON.stringify({ cmd, group_id: group, message, id: lastCommandId }));
      return true;
    }
    return false;
  }

  function welcomed(event) {
    clientId = event.client_id;
    welcomedAt = performance.now();
    silenceMs = event.heartbeat?.interval_ms + event.heartbeat?.timeout_ms;
    show.clientId(printable(clientId));
    show.state('connected', 'connected');
    const before = [...joined];
    joined.clear();
    for (const group of before) command('add_group', group);
    show.groups(joined);
  }

  function acknowledged(event) {
    const asked = pending.get(event.id);
    pending.delete(event.id);
    if (asked?.cmd === 'add_group') joined.add(asked.group);
    if (asked?.cmd === 'leave_group') joined.delete(asked.group);
    show.groups(joined);
    const facts = ['ack', asked?.cmd ?? 'unknown', 'group ' + printable(event.group_id)];
    if (event.offset !== undefined) facts.push('offset ' + printable(event.offset));
    show.line('ack', facts, '');
  }

  function delivered(event) {
    const own = clientId !== undefined && event.from?.client_id === clientId;
    const facts = ['message', 'group ' + printable(event.group_id), 'offset ' + printable(event.offset), own ? 'own' : 'other'];
    show.line('message', facts, printable(event.message), own);
  }

  function receive(data) {
    let event = null;
    try { event = JSON.parse(data); } catch {}
    if (typeof event !== 'object' || event === null) {
      show.line('error', ['error', 'bad_json'], 'The gateway sent something other than a JSON object.');
      return;
    }
    switch (event.type) {
      case 'welcome': welcomed(event); break;
      case 'ack': acknowledged(event); break;
      case 'message': delivered(event); break;
      case 'ping': socket.send('{"cmd":"ping"}'); break;
      case 'pong': break;
      case 'error':
        pending.delete(event.id);
        show.line('error', ['error', printable(event.code)], printable(event.message));
        break;
      case 'disconnect':
        farewell = event;
        show.line('info', ['disconnect', printable(event.code)], printable(event.reason));
        break;
      default: show.line('info', [printable(event.type), 'group ' + printable(event.group_id)], printable(event.reason ?? ''));
    }
    awaitTraffic();
  }

  dial();
  return {
    join: (group) => command('add_group', group),
    leave: (group) => command('leave_group', group),
    send: (group, message) => command('send_to_group', group, message),
  };
}
`;
