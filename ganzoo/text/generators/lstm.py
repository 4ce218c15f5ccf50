"""A one-layer LSTM over words: the generator of SeqGAN and of most text GANs after it."""

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.text.checks import check_dropout, check_sizes
from ganzoo.text.generators.base import SequenceGenerator
from ganzoo.text.sequences import State


class LSTMGenerator(SequenceGenerator):
    """Embedding, LSTM, linear layer (Yu et al. 2017, sec. 3.3, eq. 9-10 and appendix).

    The LSTM is PyTorch's, with two bias vectors of which one would do; the second begins at zero.

    Args:
        vocab_size: Tokens.
        max_length: Tokens of a sentence at most, its end included.
        embedding_size: Of a token.
        hidden_size: Of the LSTM.
        dropout: Probability that an entry of an embedding or of a hidden state is zeroed while it is trained.
        tied: The linear layer has the embeddings as its weights (Press and Wolf 2017; Inan et al. 2017). Hidden states of
            another size than these pass a linear layer without bias first.
        init_std: All weights begin normally distributed with this standard deviation; None for PyTorch's own defaults.
        start_token: Is fed before the first token.
        end_token: Closes a sentence; None where all have ``max_length`` tokens.
        pad_token: Fills a row behind the end. Its embedding gets no gradient.
        tokenizer_bytes: Size of the tokenizer that travels with the weights; 0 for plain ids.

    Raises:
        ConfigError: sizes or probabilities that cannot be used.
    """

    def __init__(
        self,
        vocab_size: int = 5000,
        max_length: int = 20,
        embedding_size: int = 32,
        hidden_size: int = 32,
        dropout: float = 0.0,
        tied: bool = False,
        init_std: float | None = 0.1,
        start_token: int = 0,
        end_token: int | None = None,
        pad_token: int | None = None,
        tokenizer_bytes: int = 0,
    ) -> None:
        super().__init__(vocab_size, max_length, start_token, end_token, pad_token, tokenizer_bytes)
        check_sizes(embedding_size=embedding_size, hidden_size=hidden_size)
        check_dropout(dropout)
        if init_std is not None and not init_std > 0:
            raise ConfigError(f"init_std must be above 0 or null, not {init_std}.")
        self.embedding = nn.Embedding(vocab_size, embedding_size, padding_idx=pad_token)
        self.lstm = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        projects = tied and hidden_size != embedding_size
        self.project = nn.Linear(hidden_size, embedding_size, bias=False) if projects else nn.Identity()
        self.head = nn.Linear(embedding_size if tied else hidden_size, vocab_size)
        if init_std is not None:
            for parameter in self.parameters():
                nn.init.normal_(parameter, 0.0, init_std)
            nn.init.zeros_(self.lstm.all_weights[0][3])  # the second bias
        if tied:
            self.head.weight = self.embedding.weight

    def begin(self, n: int, z: Tensor | None = None) -> State:
        """Hidden and cell state of zeros, ``[n, hidden_size]`` each."""
        zeros = self.head.weight.new_zeros(n, self.lstm.hidden_size)
        return zeros, zeros

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """One step of the cell."""
        h, c = torch.lstm_cell(self.dropout(self.embedding(tokens)), list(state), *self.lstm.all_weights[0])
        return self.project(self.dropout(h)), (h, c)

    def hidden(self, tokens: Tensor, z: Tensor | None = None) -> Tensor:
        """The LSTM over the shifted tokens, ``[n, T, H]``."""
        found: Tensor = self.project(self.dropout(self.lstm(self.dropout(self.embedding(self.shifted(tokens))))[0]))
        return found
