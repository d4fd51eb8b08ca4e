import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { LoginForm } from './login-form.tsx';
import { loadUser, type User } from './user.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root".');
const user = await loadUser();
createRoot(root).render(<StrictMode>{user === null ? <LoginForm /> : await app(user)}</StrictMode>);

/** Loads the rest of the page, which connects at once and so needs a user. */
async function app(user: User) {
  const { App } = await import('./app.tsx');
  return <App user={user} />;
}
