import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  killAll,
  REPOSITORY,
  startGateway,
  startHub,
  startProcess,
  type TestApp,
} from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { findProgram } from '../find-program.ts';
import { runApp } from './check-config.ts';
import { deployFile, readDeployFile } from './deploy-file.ts';
import { withoutDeployPrograms } from './programs.ts';

/** The parts of compose.yaml that are read here. */
interface Compose {
  readonly services: Readonly<Record<string, { readonly environment: Readonly<Record<string, string>> }>>;
}

const dockerfile = readDeployFile('docker/Dockerfile');

describe('the Dockerfile', () => {
  afterAll(killAll);

  test('builds what the README builds', () => {
    const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
    const commands = [...dockerfile.matchAll(/^RUN (.* deploy .*)$/gm)].map(([, command = '']) => command);
    expect(commands).toHaveLength(2);
    for (const command of commands) expect(readme).toContain(`    ${command}\n`);
  });

  test('runs the services as a user without rights', () => {
    const stages = dockerfile.split(/^FROM /m).slice(2);
    expect(stages).toHaveLength(2);
    for (const stage of stages) expect(stage).toMatch(/^USER node$/m);
  });

  /** Runs the healthcheck of a stage against an admin port. */
  async function checkHealth(usualPort: number, port: number): Promise<number | null> {
    const [, json = ''] = new RegExp(`HEALTHCHECK .* CMD (.*:${usualPort}/.*)`).exec(dockerfile) ?? [];
    const [, ...args] = JSON.parse(json.replace(`:${usualPort}/`, `:${port}/`)) as string[];
    return (await startProcess(process.execPath, args).finished).code;
  }

  test('its healthchecks tell a service that is ready from one that is not there', async () => {
    const hub = await startHub();
    const gateway = await startGateway({ hub: hub.address });
    for (const [usualPort, app] of [
      [2207, hub],
      [1235, gateway],
    ] satisfies [number, TestApp][]) {
      expect(await checkHealth(usualPort, app.adminPort)).toBe(0);
      expect(await checkHealth(usualPort, await freePort())).toBe(1);
    }
  });
});

describe.skipIf(withoutDeployPrograms)('compose.yaml', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'groupcast-compose-'));
    mkdirSync(join(folder, 'secrets'));
    copyFileSync(deployFile('compose/compose.yaml'), join(folder, 'compose.yaml'));
    for (const name of ['groupcast', 'grafana']) {
      writeFileSync(join(folder, 'secrets', name), 'x'.repeat(32), { mode: 0o600 });
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('has no fault', () => {
    const args = ['-f', 'compose.yaml', 'config', '-q'];
    const { status, stderr } = spawnSync(findProgram('docker-compose')!, args, {
      cwd: folder,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test.each([
    ['hub', 'channel-hub'] as const,
    ['gateway1', 'ws-gateway'] as const,
    ['gateway2', 'ws-gateway'] as const,
  ])('the variables of %s are accepted by check-config', (name, app) => {
    const { services } = parse(readDeployFile('compose/compose.yaml'), { merge: true }) as Compose;
    const variables = Object.entries(services[name]!.environment).map(([key, value]) => [
      key,
      value.replace('/run/secrets/groupcast', join(folder, 'secrets/groupcast')),
    ]);
    runApp(app, ['check-config'], Object.fromEntries(variables));
  });
});
