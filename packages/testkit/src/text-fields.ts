/** Fields of a publication that is a text without sender and message id, for tests to complete. */
export const TEXT_FIELDS = {
  kind: 'text',
  excludeSender: false,
  sender: '',
  messageId: '',
  number: 0,
} as const;
