// The front door: tables of options, which libraries and programs share.
export {
  choiceOption,
  defaultsOf,
  flagOption,
  inSeconds,
  integerOption,
  listOption,
  type NumberRange,
  numberOption,
  type Option,
  type OptionsOf,
  type OptionTable,
  rangeOf,
  textOption,
  valueOption,
  withRange,
} from './option.ts';
export {
  bytesWithin,
  checkOption,
  OPTION_BYTES_MAX,
  objectOption,
  resolveOptions,
  TIMER_MS_MAX,
} from './resolve-options.ts';
export { unixPathFault } from './unix-path.ts';
