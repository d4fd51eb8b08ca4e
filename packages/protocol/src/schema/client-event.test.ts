import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { readGolden, type Vector } from '../../testing/golden.ts';
import type { ClientEvent } from '../client/event.ts';
import { clientEvent } from './client-event.ts';

const schemas = clientEvent.options.flatMap((option) => [...option.options]);

const { events } = readGolden<{ events: Vector<Record<string, unknown>>[] }>('client.json');

describe('golden events', () => {
  test.each(events)('$name', ({ text, message }) => {
    expect(clientEvent.parse(JSON.parse(text))).toEqual(message);
    expect(JSON.stringify(clientEvent.parse(message))).toBe(text);
  });

  test('the schema accepts what the type says', () => {
    // The compiler checks that both have the same fields; `satisfies` checks the other direction.
    const accepted = (event: ClientEvent): z.infer<typeof clientEvent> => event;
    expect(accepted({ type: 'ping' })).toEqual({ type: 'ping' });
  });

  test('there is one of every type', () => {
    const types = schemas.map(({ shape }) => shape.type.value);
    expect(new Set(events.map(({ message }) => message['type']))).toEqual(new Set(types));
  });

  test('no field that is always there may be missing', () => {
    for (const { name, message } of events) {
      const own = schemas.find((candidate) => candidate.safeParse(message).success);
      for (const [field, schema] of Object.entries(own?.shape ?? {})) {
        const { [field]: _, ...rest } = message;
        expect(clientEvent.safeParse(rest).success, `${name} without ${field}`).toBe(
          schema.safeParse(undefined).success,
        );
      }
    }
  });

  test('a field of a later version is ignored', () => {
    expect(clientEvent.parse({ type: 'ping', later: 1 })).toEqual({ type: 'ping' });
  });
});
