import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { ChatProvider } from "@/features/chat/chat";
import { NotesProvider } from "@/features/notes/notes";
import { PinsProvider } from "@/features/pins/pinsContext";
import { SelectionProvider } from "@/features/selection/selection";
import { SettingsProvider } from "@/features/settings/settings";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
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
