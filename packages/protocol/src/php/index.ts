export { decodePhp } from './decode.ts';
export { encodePhp } from './encode.ts';
export { checkPhp, entriesOf, type PhpEntry, type PhpSpan, stringOf } from './entries.ts';
export { fromJson } from './from-json.ts';
export { eventFrame, type PhpRequest, queueFrame, readRequest } from './message.ts';
export { type PhpNameFlaw, PhpNames } from './names.ts';
export { PhpArray, type PhpValue } from './php-array.ts';
export { toJson } from './to-json.ts';
