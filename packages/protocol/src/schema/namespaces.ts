import { z } from 'zod';
import type { Operation } from '../client/command.ts';
import { hasDuplicateKeys } from '../json/duplicate-keys.ts';
import {
  FRAME_BYTES_MAX,
  NAMESPACE_HISTORY_BYTES_MAX,
  NAMESPACE_HISTORY_COUNT_MAX,
  NAMESPACE_HISTORY_SECONDS_MAX,
  NAMESPACE_PUBLISH_PER_SECOND_MAX,
  NAMESPACES_BYTES_MAX,
  NAMESPACES_MAX,
} from '../limits.ts';
import { isGroupName, isSystemGroup } from '../name.ts';
import { utf8ByteLength } from '../utf8-length.ts';

/** Operations of a list; `*` is all that the list may have. */
type Operations<O extends Operation = Operation> = readonly (O | '*')[];

/** Bounds of the history of each group. What is not given is that of the hub. */
export interface NamespaceHistory {
  /** Publications. */
  readonly count?: number | undefined;
  readonly seconds?: number | undefined;
  readonly bytes?: number | undefined;
}

/** Rules for the groups whose names begin with a prefix. */
export interface Namespace {
  /** Beginning of names of groups; '' is that of all. */
  readonly prefix: string;
  /** Operations beside those that tokens allow. */
  readonly allow?:
    | {
        /** Clients that are in the group. They have joined, so that `join` is not for them. */
        readonly members?: Operations<Exclude<Operation, 'join'>> | undefined;
        /** Clients with a token. */
        readonly users?: Operations | undefined;
        /** Clients without a token. They have no uid that could be named as an author. */
        readonly anonymous?: Operations<Exclude<Operation, 'manage'>> | undefined;
      }
    | undefined;
  /** Bytes of UTF-8 of a client's message. */
  readonly message_bytes_max?: number | undefined;
  /** Messages per second of one group. */
  readonly publish_per_second?: number | undefined;
  readonly history?: NamespaceHistory | undefined;
  /** Whether messages of clients are ephemeral. */
  readonly ephemeral?: boolean | undefined;
}

/** Rejects a list of namespaces. Has a sentence for each fault. */
export class NamespacesError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[], options?: ErrorOptions) {
    super(faults.join(' '), options);
    this.name = 'NamespacesError';
    this.faults = faults;
  }
}

/** Limit of the faults that an error names. */
const FAULTS_MAX = 20;

const SAME_KEY = 'An object of the list has the same key twice. Remove one of the two.';

/** Limit of the characters of a value in a sentence. */
const VALUE_CHARACTERS_MAX = 60;

/** All operations. */
export const OPERATIONS = [
  'join',
  'history',
  'publish',
  'presence',
  'info',
  'manage',
] as const satisfies readonly Operation[];

const without = <O extends Operation>(operation: O): Exclude<Operation, O>[] =>
  OPERATIONS.filter((one): one is Exclude<Operation, O> => one !== operation);

function operations<O extends Operation>(names: readonly O[]) {
  const error = `one of ${[...names, '*'].join(', ')}`;
  return z
    .array(z.enum<(O | '*')[]>([...names, '*'], { error }), { error: 'a list of operations' })
    .optional();
}

function integer(min: number, max: number, unit: string) {
  const error = `an integer from ${min} to ${max} (${unit})`;
  return z.int({ error }).min(min, { error }).max(max, { error }).optional();
}

const prefix = z
  .string({ error: 'the beginning of names of groups' })
  .refine((text) => text === '' || (isGroupName(text) && !isSystemGroup(text)), {
    error: 'the beginning of names of groups, without $ at its start',
  });

const rate = `a number above 0, at most ${NAMESPACE_PUBLISH_PER_SECOND_MAX} (messages/s)`;

/** Rules of the fields. The messages complete the sentence "Give …". */
const namespace = z.strictObject(
  {
    prefix,
    allow: z
      .strictObject(
        {
          members: operations(without('join')),
          users: operations(OPERATIONS),
          anonymous: operations(without('manage')),
        },
        { error: objectRule('members, users, anonymous') },
      )
      .optional(),
    message_bytes_max: integer(1, FRAME_BYTES_MAX / 2, 'bytes'),
    publish_per_second: z
      .number({ error: rate })
      .gt(0, { error: rate })
      .max(NAMESPACE_PUBLISH_PER_SECOND_MAX, { error: rate })
      .optional(),
    history: z
      .strictObject(
        {
          count: integer(0, NAMESPACE_HISTORY_COUNT_MAX, 'publications'),
          seconds: integer(1, NAMESPACE_HISTORY_SECONDS_MAX, 'seconds'),
          bytes: integer(0, NAMESPACE_HISTORY_BYTES_MAX, 'bytes'),
        },
        { error: objectRule('count, seconds, bytes') },
      )
      .optional(),
    ephemeral: z.boolean({ error: 'true or false' }).optional(),
  },
  { error: objectRule('prefix, allow, message_bytes_max, publish_per_second, history, ephemeral') },
);

const namespaces = z
  .array(namespace, { error: 'a list of namespaces' })
  .max(NAMESPACES_MAX, { error: `at most ${NAMESPACES_MAX} namespaces` });

/**
 * Parses a JSON list of namespaces. With `ignoreUnknown` fields and operations of a
 * later version are ignored.
 * Throws NamespacesError with every fault.
 */
export function parseNamespaces(
  text: string,
  { ignoreUnknown = false }: { readonly ignoreUnknown?: boolean } = {},
): readonly Namespace[] {
  const bytes = utf8ByteLength(text);
  if (bytes > NAMESPACES_BYTES_MAX) {
    throw new NamespacesError([`The list has ${bytes} bytes. Give at most ${NAMESPACES_BYTES_MAX}.`]);
  }
  const json = parseJson(text);
  const reading = namespaces.safeParse(json);
  const issues = (reading.error?.issues ?? []).filter((issue) => !(ignoreUnknown && isUnknown(issue)));
  const faults = issues.flatMap((issue) => faultsOf(issue, json));
  if (faults.length > 0) throw new NamespacesError(firstOf(faults));
  if (!ignoreUnknown && hasDuplicateKeys(text, json)) throw new NamespacesError([SAME_KEY]);
  const list = (reading.data ?? json) as readonly Namespace[];
  const repeated = firstOf(repetitionsIn(list));
  if (repeated.length > 0) throw new NamespacesError(repeated);
  return list;
}

/** Rules by prefix. Of several prefixes of a name, the longest one decides. */
export class NamespaceTable<Rules extends { readonly prefix: string }> {
  readonly #byPrefix: ReadonlyMap<string, Rules>;
  /** Lengths of prefixes, longest first: at most 256, however many prefixes there are. */
  readonly #lengths: readonly number[];

  constructor(rules: readonly Rules[]) {
    this.#byPrefix = new Map(rules.map((one) => [one.prefix, one]));
    const lengths = new Set(rules.map(({ prefix: { length } }) => length));
    this.#lengths = [...lengths].sort((one, other) => other - one);
  }

  /** Returns the rules of a group; undefined for one of the system. */
  find(groupName: string): Rules | undefined {
    if (isSystemGroup(groupName)) return undefined;
    for (const length of this.#lengths) {
      if (length > groupName.length) continue;
      const found = this.#byPrefix.get(groupName.slice(0, length));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NamespacesError([`The list is not JSON: ${reason}.`], { cause });
  }
}

/** Returns whether a later version may have made the list. */
function isUnknown({ code, path }: z.core.$ZodIssue): boolean {
  return code === 'unrecognized_keys' || (code === 'invalid_value' && path[1] === 'allow');
}

function faultsOf(issue: z.core.$ZodIssue, json: unknown): readonly string[] {
  const value = valueAt(json, issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${placeOf([...issue.path, key])} is unknown. Remove it.`);
  }
  const found = value === undefined ? 'is missing' : `is ${shortened(value)}`;
  return [`${placeOf(issue.path)} ${found}. Give ${issue.message}.`];
}

function repetitionsIn(list: readonly Namespace[]): readonly string[] {
  const firsts = new Map<string, number>();
  return list.flatMap(({ prefix: text }, index) => {
    const first = firsts.get(text);
    if (first === undefined) {
      firsts.set(text, index);
      return [];
    }
    return [`[${index}].prefix is ${shortened(text)}, as [${first}].prefix is. Give each prefix once.`];
  });
}

function firstOf(faults: readonly string[]): readonly string[] {
  if (faults.length <= FAULTS_MAX) return faults;
  return [...faults.slice(0, FAULTS_MAX), `There are ${faults.length - FAULTS_MAX} more faults.`];
}

/** Returns a place such as `[2].history.count`; `The list` for all of it. */
function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return place === '' ? 'The list' : place;
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], json);
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX)}…`;
}

function objectRule(keys: string): string {
  return `an object with ${keys}`;
}
