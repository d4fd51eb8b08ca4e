// Helpers for tests within one process: they start nothing, so every unit test can afford them.

export { TEXT_FIELDS } from './text-fields.ts';
export { untilTurn } from './until-turn.ts';
export * from './websocket-bytes.ts';
