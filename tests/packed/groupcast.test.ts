import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killAll, REPOSITORY, startProcess, type TestProcess, until } from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from '../browser/open-browser.ts';
import { type DevPorts, freePorts, portFlags } from '../command-line/groupcast.ts';
import { processesIn } from '../fresh-clone/processes-in.ts';
import { runCommand } from '../tarballs/run-command.ts';

// It installs from the registry.
describe.skipIf(process.env['CI'] !== 'true')('npx groupcast, from its tarball, in an empty folder', () => {
  let root: string;
  let folder: string;
  let tarball: string;

  beforeAll(async () => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'groupcast-npx-')));
    folder = join(root, 'empty');
    mkdirSync(folder);
    const cwd = join(REPOSITORY, 'apps', 'groupcast');
    const pnpm = join(REPOSITORY, 'node_modules', '.bin', 'pnpm');
    await runCommand(pnpm, ['run', 'build'], { cwd });
    await runCommand(pnpm, ['pack', '--pack-destination', root], { cwd });
    const [file = ''] = readdirSync(root).filter((name) => name.endsWith('.tgz'));
    tarball = join(root, file);
  });
  afterEach(killAll);
  afterAll(async () => {
    await killAll();
    rmSync(root, { recursive: true, force: true });
  });

  function npx(...args: string[]): TestProcess {
    // Its cache is empty at first, so that everything comes from the tarball and the registry.
    const flags = ['--yes', '--cache', join(root, 'npm-cache'), '--package', tarball];
    return startProcess('npx', [...flags, '--', 'groupcast', ...args], { cwd: folder });
  }

  /** Runs a command to its end, and returns its output. */
  async function output(...args: string[]): Promise<string> {
    const child = npx(...args);
    const { code } = await child.finished;
    expect({ code, stderr: child.stderr }).toEqual({ code: 0, stderr: '' });
    return child.stdout;
  }

  test('runs the system, sends and prints messages, and ends with Ctrl-C without a process left', async () => {
    // The installation takes its time, and has no lines that could be waited for.
    expect(await output('--version')).toMatch(/^groupcast \d/);
    const ports = await freePorts();
    const dev = npx(...portFlags(ports));
    await dev.waitForLine(/^Open http:/);
    expect(readdirSync(folder)).toEqual(['.groupcast']);

    const subscriber = npx('subscribe', '123', '--count=2');
    await subscriber.waitForLine(/follow\.$/);
    expect(await output('publish', '123', 'hello')).toBe('1\n');
    await sendFromPage(ports, 'from the page');
    await subscriber.finished;
    expect(subscriber.stdout).toBe('1\thello\n2\tfrom the page\n');
    expect(await output('doctor', ...portFlags(ports))).toContain('No faults.');

    // As a terminal does it: the signal goes to the whole process group.
    process.kill(-dev.pid, 'SIGINT');
    await dev.finished;
    await until(
      () => [...processesIn(root).values()],
      `the end of all processes in ${root}`,
      (left) => left.length === 0,
    );
    expect(dev.stderr.match(/"msg":"drained"/g)).toHaveLength(2);
    expect(dev.stderr).not.toMatch(/npm error|"level":[56]0/);
    expect(readdirSync(join(folder, '.groupcast'))).toEqual(['.gitignore']);
  });
});

/** Joins group 123 in both panes of the page, sends from one, and waits for it in the other. */
async function sendFromPage({ port }: DevPorts, message: string): Promise<void> {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}`);
    const panes = page.getByRole('region').filter({ has: page.getByRole('button', { name: 'Send' }) });
    const [sender, receiver] = [panes.first(), panes.last()];
    for (const pane of [sender, receiver]) {
      await pane.getByLabel('Group', { exact: true }).fill('123');
      await pane.getByRole('button', { name: 'Join' }).click();
    }
    await sender.getByLabel('Message', { exact: true }).fill(message);
    await sender.getByRole('button', { name: 'Send' }).click();
    await receiver.getByText(message, { exact: true }).waitFor();
  } finally {
    await browser.close();
  }
}
