import { textTable } from '@groupcast/service';
import type { Result } from './result.ts';

const KIB = 1024;
const MIB = KIB * KIB;

/** Formats a result: one line per figure, with its unit. */
export function resultTable(result: Result): string {
  const { settings, connect, generator } = result;
  const head = `${result.scenario} (${result.protocol}) ${result.url}: ${settings.members} members in ${settings.groups} groups, ${settings.bytes} bytes`;
  const rows = [
    ...trafficRows(result),
    ['connections', count(connect.connections), `in ${number(connect.seconds, 2)} s`],
    ['connections per second', count(connect.perSecond), ''],
    ['handshake p50 / p99', pair(connect.handshakeMs.p50, connect.handshakeMs.p99), 'ms'],
    ['attempts made again', count(connect.retried), ''],
    ...serverRows(result),
    [
      'generator, busiest of',
      count(generator.processes),
      generator.processes === 1 ? 'process' : 'processes',
    ],
    ['generator CPU', number(generator.cpuShare * 100, 0), '% of a core'],
  ];
  return `${head}\n\n${textTable(['measure', 'value', 'unit'], rows)}`;
}

function trafficRows(result: Result): string[][] {
  const { latencyMs } = result;
  if (result.messages === 0) return [];
  return [
    ['measured for', number(result.seconds, 2), 's'],
    ['messages', count(result.messages), ''],
    ['deliveries', count(result.deliveries), ''],
    ['deliveries per second', count(result.deliveriesPerSecond), ''],
    ...(latencyMs === null
      ? []
      : [
          ['latency p50 / p90', pair(latencyMs.p50, latencyMs.p90), 'ms'],
          ['latency p99 / p99.9', pair(latencyMs.p99, latencyMs.p999), 'ms'],
          ['latency mean / max', pair(latencyMs.mean, latencyMs.max), 'ms'],
        ]),
    ['lost / doubled / out of order', `${result.lost} / ${result.doubled} / ${result.misordered}`, ''],
  ];
}

function serverRows({ server }: Result): string[][] {
  if (server === null) return [];
  return [
    ['server CPU', number(server.cpuSeconds, 2), 's'],
    ...optional('server CPU per million deliveries', server.cpuSecondsPerMillionDeliveries, 2, 's'),
    ...optional('server CPU per connection', server.cpuMicrosPerConnection, 0, 'µs'),
    ['server memory before / after', pair(server.rssBytesBefore / MIB, server.rssBytesAfter / MIB), 'MiB'],
    ...optional(
      'server memory per connection',
      server.rssBytesPerConnection === null ? null : server.rssBytesPerConnection / KIB,
      2,
      'KiB',
    ),
  ];
}

function optional(name: string, value: number | null, digits: number, unit: string): string[][] {
  return value === null ? [] : [[name, number(value, digits), unit]];
}

function pair(first: number, second: number): string {
  return `${number(first, 2)} / ${number(second, 2)}`;
}

function count(value: number): string {
  return String(Math.round(value));
}

function number(value: number, digits: number): string {
  return value.toFixed(digits);
}
