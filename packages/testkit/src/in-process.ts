// Helpers for tests within one process: they start nothing, so every unit test can afford them.

export { type CapturedCommand, type CapturedIo, captureCommand } from './apps/capture-command.ts';
export * from './sockets/websocket-bytes.ts';
export { TEXT_FIELDS } from './text-fields.ts';
export { type SignTokenOptions, signToken } from './tokens/sign-token.ts';
export { untilTurn } from './waiting/until-turn.ts';
