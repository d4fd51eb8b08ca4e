import { z } from 'zod';

/** Comes back in the reply as it was. Which ones are accepted says `JsonObjectText.id`. */
export const commandId = z.union([z.string(), z.number()]);

export type CommandId = z.infer<typeof commandId>;
