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
    describe: 'The server, ws:// or wss://; may also stand first on the command line, without --url.',
    check: urlProblem,
  }),
  scenario: choiceOption({
    choices: ['fanout', 'groups', 'latency', 'idle', 'storm'],
    default: 'fanout',
    describe:
      'fanout: one group, the next message when all have the last. groups: the same in many groups at once. ' +
      'latency: messages at an even rate. idle: connections that only stand there. storm: connections as fast as they come.',
  }),
  protocol: choiceOption({
    choices: PROTOCOL_NAMES,
    default: 'groupcast',
    describe: 'What the server speaks. socket.io needs a server with the events join, publish and message.',
  }),
  members: integerOption({
    default: 0,
    min: 0,
    max: MEMBERS_MAX,
    unit: 'connections',
    describe:
      "Members of all groups together; 0 is the scenario's own: 1000, groups 2000, idle and storm 10000.",
  }),
  groups: integerOption({
    default: 0,
    min: 0,
    max: GROUPS_MAX,
    unit: 'groups',
    describe: "0 is the scenario's own: fanout 1 (always), groups 200, latency 100, idle and storm 1000.",
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
    describe: 'With fanout and groups: how many messages of a group may be on their way.',
  }),
  rate: numberOption({
    default: 200,
    min: 0.1,
    max: 1_000_000,
    unit: 'messages per second',
    describe: 'With latency: messages to all groups together.',
  }),
  warmupSeconds: numberOption({
    default: 1,
    min: 0,
    max: 3_600,
    unit: 'seconds',
    describe: 'How long to send before measuring.',
  }),
  seconds: numberOption({
    default: 4,
    min: 0,
    max: 86_400,
    unit: 'seconds',
    describe: 'How long to measure; with idle, how long to stand there.',
  }),
  messages: integerOption({
    default: 0,
    min: 0,
    max: 100_000_000,
    unit: 'messages',
    describe: 'Send so many in all instead of for a time, without warm-up; 0 is by time.',
  }),
  processes: integerOption({
    default: 0,
    min: 0,
    max: 64,
    unit: 'processes',
    describe:
      'Generator processes that hold members; 0 is one for each 15000 members, at least two with idle and storm. ' +
      'latency starts one more, which sends.',
  }),
  connectingMax: integerOption({
    default: 256,
    min: 1,
    max: 10_000,
    unit: 'connections',
    describe: 'How many connections are being opened at once.',
  }),
  handshakeRate: numberOption({
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'connections per second',
    describe: 'How many connections are begun in a second; 0 is as fast as the server takes them.',
  }),
  pids: listOption({
    default: [],
    valueName: 'PIDS',
    describe: "The server's processes on this machine (Linux), whose CPU and memory are measured: 12,13,14.",
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
