import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { ErrorBoundary } from "@/components/layout/ErrorBoundary";
import { ChatProvider } from "@/context/chat";
import { NotesProvider } from "@/context/notes";
import { PinsProvider } from "@/context/pins";
import { SelectionProvider } from "@/context/selection";
import { SettingsProvider } from "@/context/settings";
import { Shell } from "./Shell";

export function App() {
  const [queries] = useState(
    () =>
      new QueryClient({
        defaultOptions: { queries: { refetchOnWindowFocus: false, networkMode: "always" } },
      }),
  );
  return (
    <ErrorBoundary>
      <QueryClientProvider client={queries}>
        <SettingsProvider>
          <ChatProvider>
            <SelectionProvider>
              <PinsProvider>
                <NotesProvider>
                  <Shell />
                </NotesProvider>
              </PinsProvider>
            </SelectionProvider>
          </ChatProvider>
        </SettingsProvider>
      </QueryClientProvider>
    </ErrorBoundary>
  );
}
