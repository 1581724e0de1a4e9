export function App() {
  return (
    <main className="grid h-full place-items-center">
      <h1 className="text-page font-semibold">Mechanistic Explorer</h1>
    </main>
  );
}
