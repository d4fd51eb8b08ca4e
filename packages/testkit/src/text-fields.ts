/** Fields of a publication that is a text and nothing more, for tests to complete. */
export const TEXT_FIELDS = {
  meta: '',
  timeMs: 0,
  ephemeral: false,
  keyed: undefined,
  kind: 'text',
  excludeSender: false,
  sender: '',
  messageId: '',
  number: 0,
} as const;
