import {
  choiceOption,
  flagOption,
  integerOption,
  listOption,
  numberOption,
  type OptionsOf,
  textOption,
} from '@groupcast/options';
import { urlProblem } from '../control/target.ts';
import { GROUPS_MAX, PAYLOAD_BYTES_MIN } from '../payload.ts';
import { PROTOCOLS, type ProtocolName } from '../protocols/protocols.ts';

const MEMBERS_MAX = 1_000_000;
const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as ProtocolName[];

export const LOADTEST_OPTIONS = {
  url: textOption({
    default: 'ws://127.0.0.1:1234',
    valueName: 'URL',
    describe: 'URL of the server, ws:// or wss://. As first argument it needs no --url.',
    check: urlProblem,
  }),
  scenario: choiceOption({
    choices: ['fanout', 'groups', 'latency', 'idle', 'storm'],
    default: 'fanout',
    describe:
      'fanout: one group, the next message when all members have the last. groups: many such groups. ' +
      'latency: messages at an even rate. idle: open connections without messages. storm: connections as fast as possible.',
  }),
  protocol: choiceOption({
    choices: PROTOCOL_NAMES,
    default: 'groupcast',
    describe: 'Protocol of the server. socket.io needs a server with the events join, publish and message.',
  }),
  members: integerOption({
    default: 0,
    min: 0,
    max: MEMBERS_MAX,
    unit: 'connections',
    describe:
      'Members of all groups together; 0: default of the scenario (1000; groups 2000; idle, storm 10000).',
  }),
  groups: integerOption({
    default: 0,
    min: 0,
    max: GROUPS_MAX,
    unit: 'groups',
    describe:
      'Number of groups. 0: default of the scenario (fanout 1, groups 200, latency 100, others 1000).',
  }),
  bytes: integerOption({
    default: 128,
    min: PAYLOAD_BYTES_MIN,
    max: 1_048_576,
    unit: 'bytes',
    describe: 'Length of a message.',
  }),
  window: integerOption({
    default: 1,
    min: 1,
    max: 10_000,
    unit: 'messages',
    describe: 'With fanout and groups: limit of messages of one group in flight.',
  }),
  rate: numberOption({
    default: 200,
    min: 0.1,
    max: 1_000_000,
    unit: 'messages per second',
    describe: 'With latency: rate over all groups.',
  }),
  warmupSeconds: numberOption({
    default: 1,
    min: 0,
    max: 3_600,
    unit: 'seconds',
    describe: 'Time of sending before the measurement.',
  }),
  seconds: numberOption({
    default: 4,
    min: 0,
    max: 86_400,
    unit: 'seconds',
    describe: 'Time of the measurement; with idle, time that the connections stay open.',
  }),
  messages: integerOption({
    default: 0,
    min: 0,
    max: 100_000_000,
    unit: 'messages',
    describe: 'Messages to send instead of a time, without a warm-up. 0: by time.',
  }),
  processes: integerOption({
    default: 0,
    min: 0,
    max: 64,
    unit: 'processes',
    describe:
      'Generator processes with members. 0: one per 15000 members, at least two with idle and storm. ' +
      'latency starts one more, which sends.',
  }),
  connectingMax: integerOption({
    default: 256,
    min: 1,
    max: 10_000,
    unit: 'connections',
    describe: 'Limit of connections that are being opened at a time.',
  }),
  handshakeRate: numberOption({
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'connections per second',
    describe: 'Limit of connections opened per second. 0: as fast as the server accepts them.',
  }),
  tokensFile: textOption({
    default: '',
    valueName: 'FILE',
    describe:
      'With groupcast: file with one token per line, which connections send in turn as their first command.',
  }),
  pids: listOption({
    default: [],
    valueName: 'PIDS',
    describe: 'Processes of the server on this machine (Linux), to measure their CPU and memory: 12,13,14.',
    check: (pids) =>
      pids.every((pid) => /^[1-9]\d{0,9}$/.test(pid)) ? undefined : 'process ids such as 12,13,14',
  }),
  json: flagOption({ default: false, describe: 'Print one JSON object on stdout, and nothing else there.' }),
  html: textOption({
    default: '',
    valueName: 'FILE',
    describe: 'Also write a report with charts, as one HTML file.',
  }),
};

/** Configuration of the load generator. */
export type LoadtestConfig = OptionsOf<typeof LOADTEST_OPTIONS>;
