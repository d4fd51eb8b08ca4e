import { CommandError, type CommandId } from '@groupcast/protocol/schema';

/** Sentence for commands of identity. */
export const NO_TOKENS = 'This gateway checks no tokens: it runs with --auth none.';
const NOT_FIRST = 'cmd auth must be the first command, and the only token. Use refresh.';

/** Rejects a token after the welcome. Before it, `Authentication` receives the command. */
export function auth(id: CommandId | undefined, hasTokens: boolean): never {
  if (!hasTokens) throw new CommandError('unauthorized', NO_TOKENS, id);
  throw new CommandError('bad_field', NOT_FIRST, id);
}
