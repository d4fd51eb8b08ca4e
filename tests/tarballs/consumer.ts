import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';
import { runCommand } from './run-command.ts';

const PROGRAMS = join(import.meta.dirname, 'programs');
const TSC = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc');

/** A project of a user who installs the packages, in an empty folder outside of the workspace. */
export class Consumer {
  readonly folder: string;
  readonly #cache: string;

  constructor(folder: string, cache: string) {
    this.folder = folder;
    this.#cache = cache;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  }

  /** Installs tarballs and packages of the registry. */
  async install(...specifiers: readonly string[]): Promise<void> {
    const flags = ['--cache', this.#cache, '--no-audit', '--no-fund', '--loglevel=error'];
    await runCommand('npm', ['install', ...flags, ...specifiers], { cwd: this.folder });
  }

  /** Runs a command of a package of the registry, which need not be installed. */
  async exec(specifier: string, ...command: readonly string[]): Promise<void> {
    const flags = ['--cache', this.#cache, '--yes', '--package', specifier];
    await runCommand('npm', ['exec', ...flags, '--', ...command], { cwd: this.folder });
  }

  /** Compiles a program with all checks, also of the declarations. Returns the program's path. */
  async compile(program: string, moduleResolution: 'nodenext' | 'bundler'): Promise<string> {
    const config = {
      compilerOptions: {
        target: 'es2023',
        module: moduleResolution === 'nodenext' ? 'nodenext' : 'esnext',
        moduleResolution,
        strict: true,
        exactOptionalPropertyTypes: true,
        types: ['node'],
        outDir: moduleResolution,
      },
      files: [`${program}.ts`],
    };
    cpSync(join(PROGRAMS, `${program}.ts`), join(this.folder, `${program}.ts`));
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify(config));
    await runCommand(process.execPath, [TSC], { cwd: this.folder });
    return join(this.folder, moduleResolution, `${program}.js`);
  }
}
