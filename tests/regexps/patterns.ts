import { type Argument, parseSync, Visitor } from 'oxc-parser';

/** A regular expression of a program. */
export interface Pattern {
  /** Line number, from 1. */
  readonly line: number;
  readonly source: string;
  readonly flags: string;
}

/**
 * Placeholder for an expression in a template: a digit is valid everywhere, as a count, a text or
 * part of a class.
 */
const ANY_VALUE = '1';

/**
 * Returns all regular expressions of a program in TypeScript or JavaScript: literals, and arguments
 * of `RegExp`. Throws for a program that does not parse, and for a `RegExp` of anything but a
 * literal or a template, which cannot be checked.
 */
export function patternsOf(fileName: string, program: string): readonly Pattern[] {
  const parsed = parseSync(fileName, program);
  if (parsed.errors.length > 0) throw new Error(`${fileName}: ${parsed.errors[0]?.message}`);
  const patterns: Pattern[] = [];
  const add = (start: number, source: string, flags: string): void => {
    patterns.push({ line: program.slice(0, start).split('\n').length, source, flags });
  };
  const addCall = (start: number, [pattern, flags]: readonly Argument[]): void => {
    const source = textOf(pattern);
    if (source === undefined)
      throw new Error(`${fileName}: a RegExp is made of a value. Write its pattern where it is made.`);
    add(start, source, textOf(flags) ?? '');
  };
  new Visitor({
    Literal(node) {
      if ('regex' in node) add(node.start, node.regex.pattern, node.regex.flags);
    },
    NewExpression({ callee, start, arguments: given }) {
      if (callee.type === 'Identifier' && callee.name === 'RegExp') addCall(start, given);
    },
    CallExpression({ callee, start, arguments: given }) {
      if (callee.type === 'Identifier' && callee.name === 'RegExp') addCall(start, given);
    },
  }).visit(parsed.program);
  return patterns;
}

function textOf(node: Argument | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.cooked).join(ANY_VALUE);
  return undefined;
}
