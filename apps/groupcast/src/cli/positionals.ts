/** Options that a command takes as arguments, too, in this order. */
const POSITIONALS: ReadonlyMap<string, readonly string[]> = new Map([
  ['publish', ['group', 'text']],
  ['subscribe', ['group']],
]);

/**
 * Writes the first arguments of a command as options: `publish 123 hello` as `publish --group=123
 * --text=hello`. The arguments end at the first option. After a leading `--` there are no options,
 * so that a text may begin with a dash.
 */
export function withOptionNames(argv: readonly string[]): readonly string[] {
  const [command = '', ...given] = argv;
  const names = POSITIONALS.get(command) ?? [];
  const isLiteral = given[0] === '--';
  const rest = isLiteral ? given.slice(1) : given;
  const firstOption = isLiteral ? rest.length : rest.findIndex((argument) => argument.startsWith('-'));
  const count = Math.min(firstOption === -1 ? rest.length : firstOption, names.length);
  const named = names.slice(0, count).map((name, index) => `--${name}=${rest[index]}`);
  return names.length === 0 ? argv : [command, ...named, ...rest.slice(count)];
}
