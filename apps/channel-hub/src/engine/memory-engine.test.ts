import { LateEngine } from '../testing/late-engine.ts';
import { engineSuite } from './engine-suite.ts';
import { MemoryEngine } from './memory-engine.ts';

engineSuite('MemoryEngine', () => new MemoryEngine());
engineSuite('an engine that answers late', () => new LateEngine(new MemoryEngine()));
