import type { CertificateTimes } from '../config/certificate-times.ts';
import { type ProcessMetric, processMetrics } from './process-metrics.ts';

/**
 * Formats the versions and the metrics of this process for Prometheus. `prefix` begins the names of
 * the service's own metrics: `groupcast_hub`.
 */
export function processText(
  prefix: string,
  version: string,
  metrics: readonly ProcessMetric[] = processMetrics(),
): string {
  const build = family(`${prefix}_build_info`, 'gauge', 'Always 1; the labels have the versions.', [
    [`{version="${version}",node="${process.version}"}`, 1],
  ]);
  return (
    build + metrics.map(({ name, type, help, value }) => family(name, type, help, [['', value]])).join('')
  );
}

/** Formats the ends of certificates for Prometheus; an empty text without certificates. */
export function certificatesText(prefix: string, times: readonly CertificateTimes[]): string {
  if (times.length === 0) return '';
  return family(
    `${prefix}_certificate_expiry_timestamp_seconds`,
    'gauge',
    'End of the validity of a certificate file, in Unix time, by the option that names it.',
    times.map(({ flag, untilMs }) => [`{option="${flag.replace(/^--/, '')}"}`, untilMs / 1_000]),
  );
}

type Sample = readonly [labels: string, value: number];

function family(name: string, type: ProcessMetric['type'], help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
