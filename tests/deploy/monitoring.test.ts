import { spawnSync } from 'node:child_process';
import { adminRequest, certificateFile, killAll, startGateway, startHub } from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../find-program.ts';
import { deployFile, readDeployFile } from './deploy-file.ts';
import { withoutDeployPrograms } from './programs.ts';

const DASHBOARD = 'grafana/dashboards/groupcast.json';

describe.skipIf(withoutDeployPrograms)('promtool', () => {
  test.each([
    ['check', 'config', 'prometheus.yml'],
    ['check', 'rules', 'groupcast-alerts.yml'],
    ['test', 'rules', 'groupcast-alerts.test.yml'],
  ])('%s %s %s finds no fault', (...args) => {
    const result = spawnSync(findProgram('promtool')!, args, {
      cwd: deployFile('prometheus'),
      encoding: 'utf8',
    });
    expect({ status: result.status, output: result.stdout + result.stderr }).toMatchObject({ status: 0 });
  });
});

test('each alert has a test', () => {
  const alerts = namesIn('prometheus/groupcast-alerts.yml', /alert: (\w+)/g);
  expect(alerts.size).toBeGreaterThan(0);
  for (const alert of alerts) {
    expect(readDeployFile('prometheus/groupcast-alerts.test.yml')).toMatch(
      new RegExp(`alertname: ${alert}\n +exp_alerts:\n`),
    );
  }
});

describe('the metrics of a hub and a gateway', () => {
  let metrics: Set<string>;
  beforeAll(async () => {
    // Certificates have metrics where there are any.
    const hub = await startHub({
      tlsCertFile: certificateFile('hub.pem'),
      tlsKeyFile: certificateFile('hub.key.pem'),
    });
    const gateway = await startGateway({
      hub: hub.address,
      hubTls: true,
      hubTlsCaFile: certificateFile('ca.pem'),
    });
    const texts = await Promise.all(
      [hub, gateway].map(async ({ adminPort }) => (await adminRequest(adminPort, '/metrics')).body),
    );
    metrics = new Set(texts.flatMap(metricsIn));
  });
  afterAll(killAll);

  test.each([DASHBOARD, 'prometheus/groupcast-alerts.yml'])('include those of %s', (file) => {
    const used = namesIn(file, /\b((?:groupcast_hub|groupcast_gateway|process|nodejs)_\w+)/g);
    expect(used.size).toBeGreaterThan(5);
    expect([...used].filter((name) => !metrics.has(name))).toEqual([]);
  });
});

test('panels of the dashboard have their own ids and do not overlap', () => {
  const { panels } = JSON.parse(readDeployFile(DASHBOARD)) as {
    panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
  };
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});

/** Returns the first group of each match in a file of deploy/. */
function namesIn(file: string, pattern: RegExp): Set<string> {
  return new Set([...readDeployFile(file).matchAll(pattern)].map(([, name = '']) => name));
}

/** Returns the names of the series of a Prometheus text: three for a histogram. */
function metricsIn(text: string): string[] {
  return [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
  );
}
