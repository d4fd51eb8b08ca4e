/**
 * Returns whether a client connects again after a close with this code: PROTOCOL.md, "Close codes".
 * After 1000 nothing is left to do. 1002, 1003, 1007 and 1009 report invalid data from the client,
 * and 4500 to 4999 a rejection for good.
 */
export function reconnectsAfter(code: number): boolean {
  return !([1000, 1002, 1003, 1007, 1009].includes(code) || (code >= 4500 && code < 5000));
}
