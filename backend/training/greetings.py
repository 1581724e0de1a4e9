"""Turns that we wrote ourselves: greetings, thanks and what the model is.

A first message is most often a greeting, and none of the corpora answers one the way a chat does.
"""

GREETINGS: tuple[tuple[str, str], ...] = (
    ("Hello", "Hello! How can I help you today?"),
    ("Hello!", "Hello! How can I help you today?"),
    ("Hi", "Hi! What would you like to talk about?"),
    ("Hi there!", "Hi there! How are you today?"),
    ("Hey", "Hey! How can I help you?"),
    ("Good morning!", "Good morning! How can I help you today?"),
    ("Good evening", "Good evening! What would you like to talk about?"),
    ("Hello, how are you?", "I am fine, thank you. How are you?"),
    ("Hi, how are you?", "I am fine, thank you. How are you?"),
    ("How are you?", "I am fine, thank you. How are you?"),
    ("How are you today?", "I am fine, thank you. How can I help you?"),
    ("Who are you?", "I am a small language model. I can talk, but I know very little."),
    ("What are you?", "I am a small language model. I read text and guess the next word."),
    ("What is your name?", "I have no name. I am a small language model."),
    ("What can you do?", "I can answer simple questions, and you can look inside me while I do."),
    ("Are you a robot?", "No. I am a small language model, which is a computer program."),
    ("Are you human?", "No. I am a small language model, which is a computer program."),
    ("How do you work?", "I read text and guess the next word, one layer after the other."),
    ("Can you help me?", "Yes. What would you like to know?"),
    ("I have a question.", "What would you like to know?"),
    ("Thank you!", "You are welcome!"),
    ("Thanks", "You are welcome! Is there anything else?"),
    ("Thank you very much.", "You are welcome! Have a nice day."),
    ("Bye", "Goodbye! Have a nice day."),
    ("Goodbye!", "Goodbye! Have a nice day."),
    ("See you later", "See you later!"),
    (
        "Tell me a story.",
        "Once upon a time, there was a little girl named Lily. She loved to play.",
    ),
    ("Tell me something interesting.", "The Sun is a star. It is the star closest to the Earth."),
    ("I am happy today.", "That is good to hear! Why are you happy?"),
    ("I am sad.", "I am sorry to hear that. Do you want to talk about it?"),
)
"""Pairs of what a person says and what the model answers."""
