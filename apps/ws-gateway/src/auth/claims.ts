import { groupNameOf, limits, utf8ByteLength } from '@groupcast/protocol';
import type { JsonValue, Operation } from '@groupcast/protocol/schema';
import { z } from 'zod';
import type { Can } from './group-patterns.ts';
import { TokenError } from './token-error.ts';

/** Patterns in `can` of one token. */
const PATTERNS_MAX = 64;

/** Bytes of `info`, as JSON. */
const INFO_BYTES_MAX = 1_024;

/** Bytes of `jti`, so that a ban of the token fits into its key. */
const TOKEN_ID_BYTES_MAX = 255;

/** The end of the year 9999, in seconds since 1970. The present in milliseconds is above it. */
const SECONDS_MAX = 253_402_300_799;

const OPERATIONS = ['join', 'history', 'publish', 'presence', 'info', 'manage', '*'] as const;

const name = z.custom<string>((value) => typeof value === 'string' && groupNameOf(value) !== undefined);
const seconds = z.number('must be a number of seconds since 1970').min(0).max(SECONDS_MAX, {
  error: 'must be in seconds since 1970, not in milliseconds',
});
const operation = z.enum(OPERATIONS) satisfies z.ZodType<Operation | '*'>;

/** Entries, because a pattern may be called `__proto__`. */
const can = z.preprocess(
  (value) => (isObject(value) ? Object.entries(value) : value),
  z
    .array(z.tuple([name, z.array(operation)]), 'must be an object of lists of operations by pattern')
    .max(PATTERNS_MAX, `must have at most ${PATTERNS_MAX} patterns`),
);

const info = z.custom<JsonValue>((value) => {
  const bytes = utf8ByteLength(JSON.stringify(value));
  return bytes <= INFO_BYTES_MAX;
}, `must be JSON of at most ${INFO_BYTES_MAX} bytes`);

const groupcast = z.object(
  {
    can: can.optional(),
    join: z.array(name, 'must be a list of group names').optional(),
    info: info.optional(),
    limits: z
      .object(
        {
          messages_per_second: z.number('must be a number').positive('must be above 0').optional(),
          groups: z.int('must be an integer').positive('must be above 0').optional(),
        },
        'must be an object',
      )
      .optional(),
  },
  'must be an object',
);

const claims = z.object({
  sub: z.custom<string>(
    isUid,
    `must be a string of 1 to ${limits.GROUP_NAME_BYTES_MAX} bytes without control characters and *`,
  ),
  jti: z
    .string('must be a string')
    .refine((id) => isWithin(id, TOKEN_ID_BYTES_MAX), `must have 1 to ${TOKEN_ID_BYTES_MAX} bytes`)
    .optional(),
  exp: seconds.optional(),
  nbf: seconds.optional(),
  iat: seconds.optional(),
  groupcast: groupcast.optional(),
});

/** Claims of a token whose signature and times are valid. */
export type Claims = Omit<z.infer<typeof claims>, 'groupcast'> & {
  readonly groupcast: Omit<z.infer<typeof groupcast>, 'can'> & { readonly can: Can };
};

/**
 * Checks the claims that the gateway uses; others are ignored. Throws TokenError. It names the
 * claim, and quotes nothing of it.
 */
export function parseClaims(payload: unknown): Claims {
  const { data, error } = claims.safeParse(payload);
  if (data === undefined) throw claimError(error.issues[0]);
  const { can: entries = [], ...rest } = data.groupcast ?? {};
  return { ...data, groupcast: { ...rest, can: Object.fromEntries(entries) } };
}

/** Sentences for faults inside of a list, whose own messages would be too general. */
const INSIDE: Readonly<Record<string, string>> = {
  can: `must map group names or prefixes with * to lists of ${OPERATIONS.join(', ')}`,
  join: 'must be a list of group names',
};

function claimError(issue: z.core.$ZodIssue | undefined): TokenError {
  const [claim, part, ...inside] = issue?.path ?? [];
  const claimName = part === undefined ? String(claim) : `${String(claim)}.${String(part)}`;
  // Further parts of the path may be from the token.
  const rule = (inside.length > 0 ? INSIDE[String(part)] : undefined) ?? issue?.message;
  return new TokenError('invalid', `Claim ${claimName} of the token ${rule}.`);
}

function isUid(value: unknown): value is string {
  return typeof value === 'string' && groupNameOf(value) !== undefined && !value.includes('*');
}

function isWithin(text: string, bytesMax: number): boolean {
  const bytes = utf8ByteLength(text);
  return bytes >= 1 && bytes <= bytesMax;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
