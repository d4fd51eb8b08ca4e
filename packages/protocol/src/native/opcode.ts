/**
 * First byte of a native body. All are below 0x20, which tells the native dialect from the others.
 */
export const OPCODES = {
  hello: 0x01,
  challenge: 0x02,
  proof: 0x03,
  welcome: 0x04,
  subscribe: 0x05,
  subscribed: 0x06,
  unsubscribe: 0x07,
  publish: 0x08,
  deliver: 0x09,
  published: 0x0a,
  error: 0x0b,
  history: 0x0c,
  page: 0x0d,
  goaway: 0x0e,
  enqueue: 0x0f,
  enqueued: 0x10,
  watch: 0x11,
  unwatch: 0x12,
  item: 0x13,
  done: 0x14,
  failed: 0x15,
} as const;

/** Version that HELLO asks for and WELCOME confirms. */
export const NATIVE_VERSION = 1;
