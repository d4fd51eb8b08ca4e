/**
 * The part of the welcome page's script that touches the document: the snippet, its copy button,
 * and the two panes. What others sent goes in as `textContent`, so that it stays text. It is text
 * for the reason that `connection.ts` gives.
 */
export const WELCOME_PANES_SCRIPT: string = `
const LOG_LINES_MAX = 200;

// A proxy may serve the gateway below a path, and redirect the same path without its slash: a
// WebSocket follows no redirect. A quote in that path must not end the snippet's string.
const path = location.pathname === '/' ? '' : location.pathname.replaceAll("'", '%27');
const address = location.origin.replace(/^http/, 'ws') + path;

function startSnippet() {
  const snippet = document.querySelector('[data-role="snippet"]');
  const note = document.querySelector('[data-role="copy-note"]');
  for (const shown of document.querySelectorAll('[data-role="address"]')) shown.textContent = address;
  document.querySelector('[data-role="copy"]').addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(snippet.textContent);
      note.textContent = 'Copied.';
    } catch {
      // Browsers give the clipboard to secure pages only.
      getSelection().selectAllChildren(snippet);
      note.textContent = 'Selected: copy it with the keyboard.';
    }
  });
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function paneView(part) {
  const log = part('log');
  return {
    state(name, text) {
      part('state').dataset.state = name;
      part('state').textContent = text;
      for (const role of ['join', 'leave', 'send']) part(role).disabled = name !== 'connected';
    },
    clientId(text) { part('client-id').textContent = text; },
    groups(names) { part('groups').replaceChildren(...Array.from(names, (name) => element('li', name))); },
    line(kind, facts, text, own) {
      const line = element('li', '');
      line.dataset.kind = kind;
      if (kind === 'message') line.dataset.own = own;
      for (const fact of facts) line.append(element('span', fact));
      line.append(element('bdi', text));
      log.append(line);
      if (log.childElementCount > LOG_LINES_MAX) log.firstElementChild.remove();
    },
  };
}

function startPane(root) {
  const part = (role) => root.querySelector('[data-role="' + role + '"]');
  const group = part('group');
  const message = part('message');
  const connection = openConnection(address, [group.value], paneView(part));
  part('join').form.addEventListener('submit', (event) => {
    event.preventDefault();
    connection.join(group.value);
  });
  part('leave').addEventListener('click', () => {
    if (group.reportValidity()) connection.leave(group.value);
  });
  part('send').form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (group.reportValidity() && connection.send(group.value, message.value)) message.value = '';
  });
}

startSnippet();
for (const root of document.querySelectorAll('[data-pane]')) startPane(root);
`;
