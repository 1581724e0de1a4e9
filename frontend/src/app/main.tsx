import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { surviveTranslation } from "@/base/translation";
import { followSystemTheme } from "@/features/settings/theme";
import "@/styles/app.css";
import { App } from "./App";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root element");
surviveTranslation(document.body);
followSystemTheme();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
