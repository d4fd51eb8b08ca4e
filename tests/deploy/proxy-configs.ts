import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CERTIFICATES } from '@groupcast/testkit';
import { readDeployFile } from './deploy-file.ts';

/** A proxy with a configuration in deploy/, and how to run it without touching the system. */
export interface ProxyKind {
  readonly name: string;
  readonly program: string;
  /** Its configuration, below deploy/. */
  readonly file: string;
  /** Replaces these texts of the configuration. Each must be there. */
  readonly replace: (place: ProxyPlace) => readonly (readonly [from: string, to: string])[];
  /** A configuration around it, where the one in deploy/ is only a part. */
  readonly wrapper?: (place: ProxyPlace) => string;
  /** Arguments that check a configuration file, and that run it in the foreground. */
  readonly check: (config: string) => readonly string[];
  readonly run: (config: string) => readonly string[];
}

/** Ports and files of one proxy. */
export interface ProxyPlace {
  readonly folder: string;
  /** On which the proxy listens. */
  readonly port: number;
  /** On which the gateway listens. */
  readonly gatewayPort: number;
}

/** Folder of the site's certificate in the configurations. */
const CERTIFICATE_FOLDER = '/etc/ssl/groupcast';

export const PROXY_KINDS: readonly ProxyKind[] = [
  {
    name: 'nginx',
    program: 'nginx',
    file: 'nginx/groupcast.conf',
    replace: ({ port, gatewayPort, folder }) => [
      ['listen 443', `listen ${port}`],
      ['listen [::]:443', `listen [::]:${port}`],
      ['127.0.0.1:1234', `127.0.0.1:${gatewayPort}`],
      [CERTIFICATE_FOLDER, folder],
    ],
    wrapper: ({ folder }) => `
pid ${folder}/pid;
daemon off;
error_log stderr;
events {}
http {
    access_log off;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((part) => `${part}_temp_path ${folder}/${part};`)
      .join('\n    ')}
    include ${folder}/part;
}
`,
    check: (config) => ['-t', '-q', '-c', config, '-e', 'stderr'],
    run: (config) => ['-c', config, '-e', 'stderr'],
  },
  {
    name: 'HAProxy',
    program: 'haproxy',
    file: 'haproxy/haproxy.cfg',
    replace: ({ port, gatewayPort, folder }) => [
      ['bind :443', `bind :${port}`],
      ['127.0.0.1:1234', `127.0.0.1:${gatewayPort}`],
      [CERTIFICATE_FOLDER, folder],
    ],
    check: (config) => ['-c', '-f', config],
    run: (config) => ['-db', '-f', config],
  },
  {
    name: 'Caddy',
    program: 'caddy',
    file: 'caddy/Caddyfile',
    // For this name Caddy makes a certificate itself, instead of asking a public authority.
    replace: ({ gatewayPort }) => [
      ['example.com', 'localhost'],
      ['127.0.0.1:1234', `127.0.0.1:${gatewayPort}`],
    ],
    wrapper: ({ folder, port }) => `{
	admin off
	auto_https disable_redirects
	https_port ${port}
	skip_install_trust
	storage file_system ${folder}/storage
}
import ${folder}/part
`,
    check: (config) => ['validate', '--adapter', 'caddyfile', '--config', config],
    run: (config) => ['run', '--adapter', 'caddyfile', '--config', config],
  },
  {
    name: 'Apache',
    program: 'apache2',
    file: 'apache/groupcast.conf',
    replace: ({ port, gatewayPort, folder }) => [
      ['*:443', `*:${port}`],
      ['127.0.0.1:1234', `127.0.0.1:${gatewayPort}`],
      [CERTIFICATE_FOLDER, folder],
    ],
    wrapper: ({ folder, port }) => `
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/pid
ErrorLog "|/bin/cat"
ServerName localhost
${apacheModules()
  .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  .join('\n')}
Listen ${port}
User www-data
Group www-data
Include ${folder}/part
`,
    check: (config) => ['-t', '-f', config],
    run: (config) => ['-DFOREGROUND', '-f', config],
  },
];

/** Modules that Debian enables by itself, or with the others. */
const APACHE_MODULES = ['mpm_event', 'authz_core', 'socache_shmcb', 'slotmem_shm'];

/** Returns these, and the ones that the head of the configuration tells the operator to enable. */
function apacheModules(): string[] {
  const [, names] = /a2enmod (.*)/.exec(readDeployFile('apache/groupcast.conf')) ?? [];
  return [...APACHE_MODULES, ...(names ?? '').split(' ')];
}

/** Writes the configuration of a proxy into a new folder, with ports and folders replaced only. */
export function writeProxyConfig(kind: ProxyKind, ports: Omit<ProxyPlace, 'folder'>): string {
  const folder = mkdtempSync(join(tmpdir(), `groupcast-${kind.program}-`));
  mkdirSync(join(folder, 'storage'));
  const { cert, key } = CERTIFICATES.hub;
  writeFileSync(join(folder, 'fullchain.pem'), cert);
  writeFileSync(join(folder, 'privkey.pem'), key);
  writeFileSync(join(folder, 'haproxy.pem'), cert + key);
  const place = { ...ports, folder };
  let text = readDeployFile(kind.file);
  for (const [from, to] of kind.replace(place)) {
    if (!text.includes(from)) throw new Error(`deploy/${kind.file} has no "${from}".`);
    text = text.replaceAll(from, to);
  }
  writeFileSync(join(folder, 'part'), text);
  if (kind.wrapper === undefined) return join(folder, 'part');
  writeFileSync(join(folder, 'config'), kind.wrapper(place));
  return join(folder, 'config');
}
