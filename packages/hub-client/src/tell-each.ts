/**
 * Tells everybody the same news. One who throws takes nothing away from those behind: what was thrown is thrown at the end,
 * as an AggregateError when several did.
 */
export function tellEach<One, News>(
  all: Iterable<One>,
  tell: (one: One, news: News) => void,
  news: News,
): void {
  let thrown: unknown[] | undefined;
  for (const one of all) {
    try {
      tell(one, news);
    } catch (error) {
      thrown ??= [];
      thrown.push(error);
    }
  }
  if (thrown === undefined) return;
  throw thrown.length === 1
    ? thrown[0]
    : new AggregateError(thrown, `${thrown.length} listeners have thrown.`);
}
