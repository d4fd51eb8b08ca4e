import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killAll, REPOSITORY, runtimePath } from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatSuite } from '../browser/chat-suite.ts';
import { openBrowser } from '../browser/open-browser.ts';
import { Consumer } from './consumer.ts';
import { runCommand } from './run-command.ts';
import { PUBLISHED, packAll, readManifest } from './tarballs.ts';

// Tests the packages as users install them, before they are in the registry: outside of the
// workspace, with an empty cache of npm.

const NODES = ['node20', 'node22', 'node24'] as const;
const NODE_TYPES = '@types/node@20.19.43';
const PUBLINT = 'publint@0.3.25';
const ATTW = '@arethetypeswrong/cli@0.18.5';

/** Output of each program of `programs/`. */
const PRINTS: Readonly<Record<string, string>> = {
  client: 'true\n',
  'hub-client': 'bad_option\n',
  protocol: '4 object function true\nbad_json\ntrue\n',
  hub: 'already_started\nbad_option\n',
  gateway: 'true\n0\nbad_option\n',
};

let folder: string;
let tarballs: ReadonlyMap<string, string>;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'groupcast-tarballs-')));
  tarballs = await packAll(join(folder, 'tarballs'));
}, 300_000);
afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

test('the packages that users install are published, and no others', () => {
  expect([...PUBLISHED.keys()].sort()).toEqual([
    '@groupcast/client',
    '@groupcast/gateway',
    '@groupcast/hub',
    '@groupcast/hub-client',
    '@groupcast/protocol',
  ]);
});

describe.each([...PUBLISHED.keys()])('%s, installed from its tarball', (name) => {
  const short = name.replace('@groupcast/', '');
  let consumer: Consumer;
  let installed: string;

  beforeAll(async () => {
    consumer = consumerOf(short);
    const own = Object.keys(readManifest(PUBLISHED.get(name) ?? '').dependencies ?? {});
    const needed = [name, ...own].flatMap((one) => tarballs.get(one) ?? []);
    await consumer.install(...needed, NODE_TYPES);
    installed = join(consumer.folder, 'node_modules', name);
  });

  test('has its build, README and licence, and no source', () => {
    const entries = readdirSync(installed);
    expect(entries).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'package.json']));
    expect(entries).not.toContain('src');
    const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => !/\.(c?js|c?js\.map|d\.c?ts)$/.test(file))).toEqual([]);
    for (const file of files.filter((file) => file.endsWith('ts'))) {
      expect(readFileSync(join(installed, 'dist', file), 'utf8')).not.toMatch(/node_modules|\/src\/.*["']/);
    }
  });

  test('has complete metadata, and depends on published packages only', () => {
    const manifest = readManifest(installed);
    expect(manifest).toMatchObject({
      license: 'MIT',
      author: 'The Groupcast authors',
      repository: { url: 'git+https://github.com/groupcast/groupcast.git' },
      engines: { node: expect.stringContaining('>=20') },
      keywords: expect.arrayContaining(['groupcast']),
      exports: { '.': expect.any(Object) },
      types: expect.stringContaining('.d.'),
    });
    const workspace = Object.keys(manifest.dependencies ?? {}).filter((other) =>
      other.startsWith('@groupcast/'),
    );
    expect(workspace.filter((other) => !PUBLISHED.has(other))).toEqual([]);
    expect(Object.values(manifest.dependencies ?? {}).filter((range) => range.includes(':'))).toEqual([]);
  });

  test.each(NODES)('exports on %s what its source exports, to import and to require', async (node) => {
    const exported = Object.keys(await import(name)).sort();
    const list = 'console.log(JSON.stringify(Object.keys(exported).sort()))';
    for (const load of [`const exported = await import('${name}')`, importByRequire(name)]) {
      const printed = await run(node, ['--input-type=module', '--eval', `${load}; ${list}`], consumer);
      expect(JSON.parse(printed)).toEqual(exported);
    }
  });

  test.each(['nodenext', 'bundler'] as const)('has types that hold under %s', async (resolution) => {
    const program = await consumer.compile(short, resolution);
    expect(await run('node20', [program], consumer)).toBe(PRINTS[short]);
  });

  test('passes publint and attw', async () => {
    const tarball = tarballs.get(name) ?? '';
    await consumer.exec(PUBLINT, 'publint', 'run', tarball, '--strict');
    await consumer.exec(ATTW, 'attw', tarball, '--profile', profileOf(name));
  });
});

test.each(NODES)('all of them work together on %s', async (node) => {
  const consumer = consumerOf('together');
  if (!existsSync(join(consumer.folder, 'node_modules'))) {
    await consumer.install(...tarballs.values(), 'ws@8.23.0', '@types/ws@8.18.2', NODE_TYPES);
  }
  const program = await consumer.compile('together', 'nodenext');
  expect(await run(node, [program], consumer)).toBe('hello\n');
});

describe('examples/chat with the packed SDK', () => {
  let chat: string;

  beforeAll(async () => {
    const consumer = consumerOf('chat');
    chat = consumer.folder;
    cpSync(join(REPOSITORY, 'examples', 'chat'), chat, {
      recursive: true,
      filter: (path) => !path.endsWith('node_modules'),
    });
    const { scripts, dependencies, devDependencies } = readManifest(chat);
    const { '@groupcast/client': _sdk, ...registry } = dependencies ?? {};
    const { typescript: _compiler, ...tools } = devDependencies ?? {};
    const manifest = {
      private: true,
      type: 'module',
      scripts,
      dependencies: registry,
      devDependencies: tools,
    };
    writeFileSync(join(chat, 'package.json'), JSON.stringify(manifest));
    await consumer.install(tarballs.get('@groupcast/client') ?? '');
  });

  test('is built by Vite', async () => {
    await runCommand(join(chat, 'node_modules/.bin/vite'), ['build'], { cwd: chat });
    const [script] = readdirSync(join(chat, 'dist/assets')).filter((file) => file.endsWith('.js'));
    const code = readFileSync(join(chat, 'dist/assets', script ?? ''), 'utf8');
    expect(code).toContain('groupcast.v1');
  });

  chatSuite(() => chat);
});

test('a page without a bundler loads the SDK as one file', async () => {
  const consumer = consumerOf('one-file');
  await consumer.install(tarballs.get('@groupcast/client') ?? '');
  const path = join(consumer.folder, 'node_modules/@groupcast/client/dist/groupcast.min.js');
  const body = `<script type="module">
    import { GroupcastClient } from './groupcast.min.js';
    document.title = typeof new GroupcastClient('ws://127.0.0.1:1').group('news').join;
  </script>`;
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.route('http://page.test/', (route) => route.fulfill({ body, contentType: 'text/html' }));
    await page.route('http://page.test/groupcast.min.js', (route) => route.fulfill({ path }));
    await page.goto('http://page.test/');
    expect(await page.title()).toBe('function');
  } finally {
    await browser.close();
  }
});

function consumerOf(name: string): Consumer {
  return new Consumer(join(folder, name), join(folder, 'npm-cache'));
}

function importByRequire(name: string): string {
  return `import { createRequire } from 'node:module'; const exported = createRequire(import.meta.url)('${name}')`;
}

/** Packages with a CommonJS build. The others need Node 20.20, where `require` loads ES modules. */
function profileOf(name: string): string {
  return name === '@groupcast/client' ? 'strict' : 'esm-only';
}

async function run(
  node: (typeof NODES)[number],
  args: readonly string[],
  { folder: cwd }: Consumer,
): Promise<string> {
  const path = node === 'node20' ? process.execPath : await runtimePath(node);
  return runCommand(path, args, { cwd, env: { NODE_OPTIONS: undefined } });
}
