import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { login } from './server/login.ts';

export default defineConfig({ plugins: [react(), login()] });
