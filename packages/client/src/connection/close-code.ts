/**
 * Whether to connect again after a close with this code: PROTOCOL.md, "Close codes", in one line. 1000 is a good end; 1002, 1003,
 * 1007 and 1009 say that what this client sends is wrong, and 4500 to 4999 that the gateway will not have it.
 */
export function comesBack(code: number): boolean {
  return !([1000, 1002, 1003, 1007, 1009].includes(code) || (code >= 4500 && code < 5000));
}
