import { z } from 'zod';
import type { CommandId } from '../client/command.ts';

/** Checks an id. `JsonObjectText.id` says which ones a gateway accepts. */
export const commandId = z.union([z.string(), z.number()]) satisfies z.ZodType<CommandId>;
