import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { makeServiceFiles, runApp } from './check-config.ts';
import { readDeployFile } from './deploy-file.ts';
import { KUBERNETES_MODELS, withoutDeployPrograms } from './programs.ts';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
}

/** A schema of kubernetes-models, compiled to a function. */
interface Validate {
  (data: unknown): boolean;
  readonly errors?: readonly object[] | null;
}

const FILES = ['hub.yaml', 'gateway.yaml', 'network-policy.yaml'];

function manifestsIn(file: string): Manifest[] {
  return parseAllDocuments(readDeployFile(`kubernetes/${file}`)).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJSON() as Manifest;
  });
}

/** Checks a manifest, and returns the faults: errors of its schema, and fields that it lacks. */
async function faultsOf(manifest: Manifest): Promise<unknown[]> {
  const validate = await schemaOf(manifest);
  const unread = new Set<string>();
  validate(recordReads(manifest, '', unread));
  return [...(validate.errors ?? []), ...unread];
}

async function schemaOf({ apiVersion, kind }: Manifest): Promise<Validate> {
  const [, group = 'core', version = ''] = /^(?:(.*)\/)?(v\d+)$/.exec(apiVersion) ?? [];
  const words = [group.replace('.k8s.io', ''), version].map((word) => word[0]?.toUpperCase() + word.slice(1));
  const file = join(KUBERNETES_MODELS, `_schemas/IoK8sApi${words.join('')}${kind}.js`);
  return ((await import(file)) as { validate: Validate }).validate;
}

/**
 * Wraps a value, so that `unread` has the paths of all fields within it that nothing has read. The
 * validators accept unknown fields, but never read them.
 */
function recordReads(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const wrapped = new Map<string, unknown>();
  for (const [key, child] of Object.entries(value)) {
    const at = `${path}/${key}`;
    unread.add(at);
    wrapped.set(key, recordReads(child, at, unread));
  }
  return new Proxy(value, {
    get(target, key) {
      if (typeof key !== 'string' || !wrapped.has(key)) return Reflect.get(target, key);
      unread.delete(`${path}/${key}`);
      return wrapped.get(key);
    },
  });
}

/** A StatefulSet or a Deployment, as far as it is read here. */
interface Workload {
  readonly template: { readonly spec: { readonly containers: readonly { readonly args: string[] }[] } };
}

/** Returns the arguments of the only container in a file. */
function argumentsOf(file: string): string[] {
  const workload = manifestsIn(file).find(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');
  return (workload!.spec as Workload).template.spec.containers[0]!.args;
}

describe.skipIf(withoutDeployPrograms)('the manifests of deploy/kubernetes', () => {
  test.each(FILES)('%s fulfils the schemas of its kinds', async (file) => {
    for (const manifest of manifestsIn(file)) {
      expect(Object.keys(manifest).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
      expect({ name: manifest.metadata.name, faults: await faultsOf(manifest) }).toMatchObject({
        faults: [],
      });
    }
  });

  test('a misspelled field and a wrong type would be found', async () => {
    const [, workload] = manifestsIn('hub.yaml');
    const text = JSON.stringify(workload);
    const misspelled = JSON.parse(
      text.replace('"readOnlyRootFilesystem"', '"readonlyRootFilesystem"'),
    ) as Manifest;
    expect(await faultsOf(misspelled)).toEqual([
      '/spec/template/spec/containers/0/securityContext/readonlyRootFilesystem',
    ]);
    const mistyped = JSON.parse(text.replace('"replicas":1', '"replicas":"one"')) as Manifest;
    expect(await faultsOf(mistyped)).toMatchObject([{ instancePath: '/spec/replicas', keyword: 'type' }]);
  });

  describe('the arguments', () => {
    let folder: string;
    beforeAll(() => {
      folder = makeServiceFiles();
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    test.each([['hub.yaml', 'channel-hub'] as const, ['gateway.yaml', 'ws-gateway'] as const])(
      'of %s are accepted by check-config',
      (file, app) => {
        const [command, ...options] = argumentsOf(file).map((argument) =>
          argument
            .replace('=/etc/groupcast/secret', `=${folder}/secret`)
            .replace('=/etc/groupcast/', `=${folder}/tls/`),
        );
        expect(command).toBe('start');
        runApp(app, ['check-config', ...options]);
      },
    );
  });
});
